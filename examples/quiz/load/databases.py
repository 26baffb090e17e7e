"""A filled database, and as many copies of it as trials want: none sees what another has changed."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.config import database_url
from app.core.database import create_engine
from load.mix import QUESTIONS, QUIZZES, USERS
from seed import fill
from stage.database import postgres

_TEMPLATE: Final = "filled"


class Databases(Protocol):
    name: str

    def copy(self) -> str:
        """Its URL."""
        ...


class SQLite:
    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copies = 0
        self._template = folder / "filled.db"
        asyncio.run(_fill(f"sqlite:///{self._template}"))

    def copy(self) -> str:
        self._copies += 1
        made = self._folder / f"copy-{self._copies}.db"
        shutil.copyfile(self._template, made)
        return f"sqlite:///{made}"


class PostgreSQL:
    name = "PostgreSQL"

    def __init__(self, server_url: str) -> None:
        self._url = server_url
        self._copies = 0
        asyncio.run(self._create(_TEMPLATE))
        asyncio.run(_fill(self._of(_TEMPLATE)))

    def copy(self) -> str:
        self._copies += 1
        made = f"copy{self._copies}"
        asyncio.run(self._create(f"{made} template {_TEMPLATE}"))
        return self._of(made)

    def _of(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?")

    async def _create(self, what: str) -> None:
        engine = create_async_engine(database_url(self._url), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"create database {what}"))
        await engine.dispose()


async def _fill(url: str) -> None:
    engine = create_engine(database_url(url))
    await fill(engine, USERS, QUIZZES, QUESTIONS)
    await engine.dispose()


@contextmanager
def databases(kind: str) -> Generator[Databases, None, None]:
    if kind == "postgresql":
        with postgres() as url:
            yield PostgreSQL(url)
        return
    with tempfile.TemporaryDirectory(prefix="quiz-databases-") as folder:
        yield SQLite(Path(os.fspath(folder)))
