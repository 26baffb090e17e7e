"""Statements on the questions' table."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Question


async def of_quiz(
    session: AsyncSession, quiz_id: UUID, approved_only: bool, skip: int = 0, limit: int | None = None
) -> Sequence[Question]:
    statement = select(Question).where(col(Question.quiz_id) == quiz_id)
    if approved_only:
        statement = statement.where(col(Question.is_approved))
    in_order = statement.order_by(col(Question.position), col(Question.id)).offset(skip)
    return (await session.scalars(in_order if limit is None else in_order.limit(limit))).all()


async def approve(session: AsyncSession, quiz_id: UUID, question_ids: Sequence[UUID], at: datetime) -> int:
    """How many of these are the quiz's."""
    statement = (
        update(Question)
        .where(col(Question.quiz_id) == quiz_id, col(Question.id).in_(question_ids))
        .values(is_approved=True, approved_at=at)
        .returning(col(Question.id))
    )
    return len((await session.scalars(statement)).all())


async def replace(session: AsyncSession, quiz_id: UUID, questions: Sequence[Question]) -> None:
    await session.execute(delete(Question).where(col(Question.quiz_id) == quiz_id))
    session.add_all(questions)
    await session.flush()
