"""A course's modules as text. It knows Canvas's shapes, and neither quizzes nor models.

Each page and file is kept by itself, and so is the whole: two quizzes over overlapping modules share what they have in
common.
"""

import asyncio
import html
import re
from collections.abc import Sequence

from pydantic import BaseModel

from app.clients.canvas import CanvasClient, CourseFile, ModuleItem, Page
from app.core.cache import CANVAS_CONTENT
from pannier import cached

_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")


class Extraction(BaseModel):
    """The texts of a set of modules, in the order of their items."""

    course_id: int
    module_ids: list[int]
    texts: list[str]


@cached(CANVAS_CONTENT, key="items:{course_id}:{module_id}")
async def get_module_items(canvas: CanvasClient, course_id: int, module_id: int) -> list[ModuleItem]:
    return await canvas.module_items(course_id, module_id)


@cached(CANVAS_CONTENT, "1h", key="page:{course_id}:{ref}")
async def get_page(canvas: CanvasClient, course_id: int, ref: str) -> Page:
    return await canvas.page(course_id, ref)


@cached(CANVAS_CONTENT, "2h", key="file:{course_id}:{ref}")
async def get_file(canvas: CanvasClient, course_id: int, ref: str) -> CourseFile:
    return await canvas.file(course_id, ref)


async def extract_content(canvas: CanvasClient, course_id: int, module_ids: Sequence[int]) -> Extraction:
    """Raises CanvasError."""
    # However they were named: a set of modules has one extraction.
    return await extract_modules(canvas, course_id, sorted(set(module_ids)))


@cached(CANVAS_CONTENT, key="modules:{course_id}:{module_ids}")
async def extract_modules(canvas: CanvasClient, course_id: int, module_ids: list[int]) -> Extraction:
    listed = await asyncio.gather(*(get_module_items(canvas, course_id, module_id) for module_id in module_ids))
    items = [item for module in listed for item in module]
    texts = await asyncio.gather(*(_text(canvas, course_id, item) for item in items))
    return Extraction(course_id=course_id, module_ids=module_ids, texts=[text for text in texts if text])


async def _text(canvas: CanvasClient, course_id: int, item: ModuleItem) -> str:
    if item.type == "Page":
        return plain((await get_page(canvas, course_id, item.ref)).body)
    if item.type == "File":
        return plain((await get_file(canvas, course_id, item.ref)).text)
    # A link, a quiz, a header: nothing to ask about.
    return ""


def plain(markup: str) -> str:
    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", markup))).strip()
