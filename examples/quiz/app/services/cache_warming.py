"""What is loaded before anybody asks for it: the quizzes that were changed last. It serves nothing.

A worker that starts while others serve finds most of it there, and asks the database for the rest.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import Sessions
from app.models import Quiz
from app.repositories import quizzes
from app.services import cached_crud

# Of the loads at a time: warming is to leave the database to others.
CONCURRENCY: Final = 8


async def warm(sessions: Sessions, batch_size: int) -> int:
    """How many quizzes it was."""
    async with sessions() as session:
        chosen = await quizzes.changed_last(session, batch_size)
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(quiz: Quiz) -> None:
        async with gate, sessions() as session:
            await warm_quiz(session, quiz)

    await asyncio.gather(*(one(quiz) for quiz in chosen))
    return len(chosen)


async def warm_quiz(session: AsyncSession, quiz: Quiz) -> None:
    await cached_crud.get_quiz_by_id(session, quiz.id)
    await cached_crud.get_quiz_with_questions(session, quiz.id)
    await cached_crud.get_quiz_questions(session, quiz.id)
    await cached_crud.get_question_statistics(session, quiz.id)


async def popular(sessions: Sessions, batch_size: int) -> AsyncIterator[Quiz]:
    async with sessions() as session:
        for quiz in await quizzes.changed_last(session, batch_size):
            yield quiz
