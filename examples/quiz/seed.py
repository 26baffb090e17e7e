"""Fills a database with users, quizzes and questions that follow from their numbers. `python -m seed` does it once."""

import asyncio
import random
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.config import Settings
from app.core.database import create_engine, create_tables
from app.models import Question, Quiz, QuizStatus, User

_SPACE: Final = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
# Of a statement; PostgreSQL takes 32,767 parameters.
ROWS: Final = 500
COURSES, MODULES_A_COURSE = 40, 6
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=timezone.utc)


def user_id(number: int) -> UUID:
    return uuid5(_SPACE, f"user {number}")


def quiz_id(number: int) -> UUID:
    return uuid5(_SPACE, f"quiz {number}")


def question_id(quiz: int, position: int) -> UUID:
    return uuid5(_SPACE, f"question {quiz} {position}")


def owner(quiz: int, users: int) -> int:
    """Quizzes go round: the most read ones are many users'."""
    return quiz % users


async def fill(engine: AsyncEngine, users: int, quizzes: int, questions: int) -> bool:
    """`questions`: of each quiz. False: it is filled already."""
    await create_tables(engine)
    async with engine.begin() as connection:
        if await connection.scalar(select(func.count()).select_from(User)):
            return False
        await _add(connection, User, [_user(n) for n in range(users)])
        await _add(connection, Quiz, [_quiz(n, users, questions) for n in range(quizzes)])
        await _add(connection, Question, [_question(n, place) for n in range(quizzes) for place in range(questions)])
    return True


async def _add(connection: AsyncConnection, table: Any, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), ROWS):
        await connection.execute(insert(table), rows[begin : begin + ROWS])


def _user(number: int) -> dict[str, Any]:
    return {
        "id": user_id(number),
        "email": f"user{number}@example.org",
        "name": f"User {number}",
        "created_at": BEGINNING,
    }


def _quiz(number: int, users: int, questions: int) -> dict[str, Any]:
    chosen = random.Random(number)
    changed = BEGINNING - timedelta(minutes=number)
    return {
        "id": quiz_id(number),
        "owner_id": user_id(owner(number, users)),
        "title": f"Quiz {number}",
        "course_id": chosen.randrange(COURSES),
        "module_ids": sorted(chosen.sample(range(MODULES_A_COURSE), chosen.choice([1, 1, 2]))),
        "question_count": questions,
        "temperature": 0.0,
        "status": QuizStatus.READY.value,
        "created_at": changed,
        "updated_at": changed,
    }


def _question(quiz: int, position: int) -> dict[str, Any]:
    return {
        "id": question_id(quiz, position),
        "quiz_id": quiz_id(quiz),
        "position": position,
        "text": f"Which of these is question {position} of quiz {quiz} about, if you have read the text with care?",
        "options": [f"Option {letter} of question {position}" for letter in "ABCD"],
        "answer": (quiz + position) % 4,
        "is_approved": position % 2 == 0,
        "approved_at": BEGINNING if position % 2 == 0 else None,
        "created_at": BEGINNING,
    }


async def main() -> None:
    engine = create_engine(Settings.from_environment().database_url)
    is_new = await fill(engine, users=500, quizzes=2000, questions=8)
    await engine.dispose()
    print("500 users, 2,000 quizzes and 16,000 questions" if is_new else "the database is filled already")


if __name__ == "__main__":
    asyncio.run(main())
