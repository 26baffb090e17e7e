"""Canvas as the application needs it: what a course has, one request a call."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx
from pydantic import BaseModel, TypeAdapter

# Canvas takes its time; what takes longer than this is down.
SECONDS = 10.0
CONNECTIONS = 100


class CanvasError(Exception):
    """Canvas does not answer, or not with what was asked for."""


class ModuleItem(BaseModel):
    """`ref` is a page's address, or a file's number."""

    type: str
    title: str
    ref: str


class Page(BaseModel):
    title: str
    body: str


@dataclass(frozen=True)
class CourseFile:
    name: str
    text: str


_ITEMS = TypeAdapter(list[ModuleItem])
_FILE = TypeAdapter(CourseFile)


class CanvasClient:
    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = httpx.AsyncClient(base_url=url, timeout=SECONDS, limits=limits)

    async def __aenter__(self) -> "CanvasClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def module_items(self, course_id: int, module_id: int) -> list[ModuleItem]:
        return _ITEMS.validate_python(await self._get(f"/courses/{course_id}/modules/{module_id}/items"))

    async def page(self, course_id: int, ref: str) -> Page:
        return Page.model_validate(await self._get(f"/courses/{course_id}/pages/{ref}"))

    async def file(self, course_id: int, ref: str) -> CourseFile:
        return _FILE.validate_python(await self._get(f"/courses/{course_id}/files/{ref}"))

    async def _get(self, path: str) -> Any:
        try:
            answer = await self._http.get(path)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise CanvasError(f"{path}: {error or type(error).__name__}") from error
