"""Statements on the quizzes' table."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Quiz, QuizStatus


async def by_id(session: AsyncSession, quiz_id: UUID) -> Quiz | None:
    return await session.get(Quiz, quiz_id)


async def by_ids(session: AsyncSession, quiz_ids: Sequence[UUID]) -> Sequence[Quiz]:
    return (await session.scalars(select(Quiz).where(col(Quiz.id).in_(quiz_ids)))).all()


async def of_owner(
    session: AsyncSession, owner_id: UUID, skip: int, limit: int, status: QuizStatus | None
) -> Sequence[Quiz]:
    statement = select(Quiz).where(col(Quiz.owner_id) == owner_id)
    if status is not None:
        statement = statement.where(col(Quiz.status) == status.value)
    newest_first = statement.order_by(col(Quiz.created_at).desc(), col(Quiz.id))
    return (await session.scalars(newest_first.offset(skip).limit(limit))).all()


async def changed_last(session: AsyncSession, limit: int) -> Sequence[Quiz]:
    statement = select(Quiz).order_by(col(Quiz.updated_at).desc(), col(Quiz.id)).limit(limit)
    return (await session.scalars(statement)).all()


async def add(session: AsyncSession, quiz: Quiz) -> Quiz:
    session.add(quiz)
    await session.flush()
    return quiz
