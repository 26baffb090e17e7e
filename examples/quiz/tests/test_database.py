"""The database by itself: many who write at once."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.core import database
from app.core.database import create_engine, sessions
from app.models import Quiz
from seed import fill, quiz_id

WRITERS = 12


def test_whoever_writes_to_sqlite_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever has to wait for the file would be told at once that it is locked.
    monkeypatch.setattr(database, "BUSY_MILLISECONDS", 0)

    async def run() -> list[str]:
        engine = create_engine(f"sqlite+aiosqlite:///{tmp_path}/quiz.db")
        await fill(engine, users=1, quizzes=WRITERS, questions=0)

        async def write(number: int) -> None:
            async with sessions(engine)() as session:
                quiz = await session.get_one(Quiz, quiz_id(number))
                quiz.title = f"Written {number}"
                await session.flush()
                # One in three gives up, and another's turn comes.
                await (session.rollback() if number % 3 == 0 else session.commit())

        await asyncio.gather(*(write(number) for number in range(WRITERS)))
        async with AsyncSession(engine) as session:
            titles = list(await session.scalars(select(col(Quiz.title))))
        await engine.dispose()
        return titles

    titles = asyncio.run(run())
    assert sorted(title for title in titles if title.startswith("Written")) == sorted(
        f"Written {number}" for number in range(WRITERS) if number % 3
    )
