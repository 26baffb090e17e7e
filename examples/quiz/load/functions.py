"""Each cached function by itself, in one process and without HTTP: what a call takes uncached, and as a hit."""

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

import pannier
from app.clients.canvas import CanvasClient
from app.clients.llm import LLMClient
from app.core.config import database_url
from app.core.database import create_engine, sessions
from app.services import cached_crud, content_extraction, mcq_generation
from load.databases import Databases
from seed import owner, quiz_id, user_id
from stage import cache
from stage.application import Standins

# Of a function whose source answers in milliseconds; and of one that takes seconds.
QUICK, SLOW = 200, 3
HITS: Final = 300
MODEL: Final = "small-1"


@dataclass(frozen=True)
class Timing:
    name: str
    uncached_ms: float
    hit_ms: float

    @property
    def saved(self) -> float:
        return 1 - self.hit_ms / self.uncached_ms


def timings(databases: Databases, standins: Standins) -> list[Timing]:
    # Client and server take turns on one processor: with two, on an idle machine, the waking of one is measured.
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        return _in_turns(databases, standins)
    finally:
        os.sched_setaffinity(0, allowed)


def _in_turns(databases: Databases, standins: Standins) -> list[Timing]:
    with tempfile.TemporaryDirectory(prefix="quiz-functions-") as folder:
        socket = Path(folder) / "pannier.sock"
        with cache.sidecar(socket):
            pannier.configure(socket=os.fspath(socket))
            # The loop that the application's workers run on.
            return uvloop.run(_timings(databases.copy(), standins))


async def _timings(url: str, standins: Standins) -> list[Timing]:
    engine = create_engine(database_url(url))
    quiz, user = quiz_id(3), user_id(owner(3, 500))
    async with CanvasClient(standins.canvas_url) as canvas, LLMClient(standins.llm_url) as llm:
        async with sessions(engine)() as session:
            texts = (await content_extraction.extract_content(canvas, 3, [1])).texts
            piece = mcq_generation.split(texts[0])[0]
            messages = mcq_generation.told(mcq_generation.QUESTION, piece)
            told = [
                await timing("get_user", QUICK, cached_crud.get_user, session, user),
                await timing("get_user_by_email", QUICK, cached_crud.get_user_by_email, session, "user3@example.org"),
                await timing("get_user_quizzes", QUICK, cached_crud.get_user_quizzes, session, user),
                await timing("get_quiz_by_id", QUICK, cached_crud.get_quiz_by_id, session, quiz),
                await timing("get_quiz_with_questions", QUICK, cached_crud.get_quiz_with_questions, session, quiz),
                await timing("get_quiz_questions", QUICK, cached_crud.get_quiz_questions, session, quiz),
                await timing("get_question_statistics", QUICK, cached_crud.get_question_statistics, session, quiz),
                await timing("get_page", SLOW, content_extraction.get_page, canvas, 3, "m1-introduction"),
                await timing("extract_content", SLOW, content_extraction.extract_content, canvas, 3, [1, 2]),
                await timing("process_chunk", SLOW, mcq_generation.process_chunk, llm, MODEL, piece),
                await timing(
                    "generate_single_question", SLOW, mcq_generation.generate_single_question, llm, MODEL, messages, 0.0
                ),
                await timing("generate", SLOW, mcq_generation.generate_questions, llm, texts, 5, MODEL, 0.0),
            ]
        await pannier.cache.aclose()
    await engine.dispose()
    return told


async def timing(name: str, count: int, function: Callable[..., Awaitable[Any]], *args: Any) -> Timing:
    with pannier.disabled():
        uncached = [await seconds(function, args) for _ in range(count)]
    await function(*args)
    hits = [await seconds(function, args) for _ in range(HITS)]
    return Timing(name, statistics.median(uncached) * 1000, statistics.median(hits) * 1000)


async def seconds(function: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> float:
    begun = time.perf_counter()
    await function(*args)
    return time.perf_counter() - begun
