"""One world for each database, for all tests of a run."""

import asyncio
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.core.config import database_url
from app.core.database import create_engine
from seed import fill
from stage import cache
from stage.application import Standins, standins, worker
from stage.database import postgres
from world import ADMIN_TOKEN, QUESTIONS, QUIZZES, USERS, Worker, World

# Of the delays of Canvas and the model: some milliseconds.
SCALE = 0.01


@pytest.fixture(scope="session")
def stand_ins() -> Generator[Standins, None, None]:
    with standins(SCALE) as started:
        yield started


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[str, None, None]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('database')}/quiz.db"
        else:
            url = stack.enter_context(postgres())
        asyncio.run(_fill(url))
        yield url


async def _fill(url: str) -> None:
    engine = create_engine(database_url(url))
    await fill(engine, USERS, QUIZZES, QUESTIONS)
    await engine.dispose()


@pytest.fixture(scope="session")
def world(database: str, stand_ins: Standins, tmp_path_factory: pytest.TempPathFactory) -> Generator[World, None, None]:
    folder = tmp_path_factory.mktemp("world")
    with ExitStack() as stack:
        socket = folder / "pannier.sock"
        stack.enter_context(cache.sidecar(socket, flags=["--test-clock"]))
        settings = environment(database, socket, stand_ins)
        started = {
            name: stack.enter_context(worker(folder / name, {**settings, **own}))
            for name, own in {"one": {}, "other": {}, "uncached": {"CACHE_ENABLED": "0"}}.items()
        }
        # All of them start at once.
        for name, process in started.items():
            process.wait_for(cache.accepts(folder / name))
        one, other, uncached = (stack.enter_context(Worker(folder / name)) for name in started)
        yield World(database, one, other, uncached, stand_ins, socket)
        for name, process in started.items():
            print(f"the log of worker {name}:\n{process.log()}")


def environment(database: str, socket: Path, stand_ins: Standins) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "CACHE_SOCKET": str(socket),
        "CANVAS_URL": stand_ins.canvas_url,
        "LLM_URL": stand_ins.llm_url,
        "ADMIN_TOKEN": ADMIN_TOKEN,
    }
