"""Statements on the questions' table."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Question


async def of_quiz(
    session: AsyncSession, quiz_id: UUID, approved_only: bool, skip: int = 0, limit: int | None = None
) -> Sequence[Question]:
    statement = _in_order(col(Question.quiz_id) == quiz_id, approved_only).offset(skip)
    return (await session.scalars(statement if limit is None else statement.limit(limit))).all()


async def of_quizzes(
    session: AsyncSession, quiz_ids: Sequence[UUID], approved_only: bool
) -> defaultdict[UUID, list[Question]]:
    """By quiz."""
    found: defaultdict[UUID, list[Question]] = defaultdict(list)
    for question in await session.scalars(_in_order(col(Question.quiz_id).in_(quiz_ids), approved_only)):
        found[question.quiz_id].append(question)
    return found


def _in_order(which: ColumnElement[bool], approved_only: bool) -> Select[Question]:
    statement = select(Question).where(which)
    if approved_only:
        statement = statement.where(col(Question.is_approved))
    return statement.order_by(col(Question.position), col(Question.id))


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
