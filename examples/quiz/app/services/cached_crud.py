"""`crud` through the cache: the same functions, and what each keeps or ends. It knows no tables.

A read that misses goes to the database on a session of its own, so that only what has been committed is kept. A change
ends what it concerns, by the tag of the quiz or the user, when the caller's session has committed.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import crud
from app.core.cache import QUESTIONS, QUIZZES, USERS
from app.core.database import committed
from app.models import (
    QuestionDraft,
    QuestionShown,
    QuestionStatistics,
    Quiz,
    QuizCreate,
    QuizShown,
    QuizStatus,
    QuizUpdate,
    QuizWithQuestions,
    User,
    UserShown,
    UserUpdate,
)
from pannier import cache_invalidate, cached

# Of the argument that is the transaction.
SESSION: Final = "session"
# Of a change that more than one namespace shows: they are told at once.
EVERYWHERE: Final = "*"


def is_there(result: object) -> bool:
    return result is not None


# Users


@cached(USERS, key="{user_id}", tags=["user:{user_id}"])
async def get_user(session: AsyncSession, user_id: UUID) -> UserShown | None:
    async with committed(session) as apart:
        return await crud.get_user(apart, user_id)


# Nobody knows whom to tell that an address is taken now: that it isn't is not kept.
@cached(USERS, "5m", key="email:{email}", tags=["user:{result.id}"], condition=is_there)
async def get_user_by_email(session: AsyncSession, email: str) -> UserShown | None:
    async with committed(session) as apart:
        return await crud.get_user_by_email(apart, email)


create_user = crud.create_user


@cache_invalidate(USERS, tags=["user:{user_id}"], after_commit=SESSION)
async def update_user(session: AsyncSession, user_id: UUID, changes: UserUpdate) -> User | None:
    return await crud.update_user(session, user_id, changes)


# Quizzes


@cached(QUIZZES, key="of:{owner_id}:{skip}:{limit}:{status_filter}", tags=["list:{owner_id}"])
async def get_user_quizzes(
    session: AsyncSession, owner_id: UUID, skip: int = 0, limit: int = 20, status_filter: QuizStatus | None = None
) -> list[QuizShown]:
    async with committed(session) as apart:
        return await crud.get_user_quizzes(apart, owner_id, skip, limit, status_filter)


@cached(QUIZZES, "10m", key="{quiz_id}", tags=["quiz:{quiz_id}"])
async def get_quiz_by_id(session: AsyncSession, quiz_id: UUID) -> QuizShown | None:
    async with committed(session) as apart:
        return await crud.get_quiz_by_id(apart, quiz_id)


@cached(QUIZZES, "15m", key="full:{quiz_id}:{approved_only}", tags=["quiz:{quiz_id}", "questions:{quiz_id}"])
async def get_quiz_with_questions(
    session: AsyncSession, quiz_id: UUID, approved_only: bool = False
) -> QuizWithQuestions | None:
    async with committed(session) as apart:
        return await crud.get_quiz_with_questions(apart, quiz_id, approved_only)


@cache_invalidate(QUIZZES, tags=["list:{owner_id}"], after_commit=SESSION)
async def create_quiz(session: AsyncSession, owner_id: UUID, new: QuizCreate) -> Quiz:
    return await crud.create_quiz(session, owner_id, new)


# Its owner's lists show it, too.
@cache_invalidate(QUIZZES, tags=["quiz:{quiz.id}", "list:{quiz.owner_id}"], after_commit=SESSION)
async def update_quiz(session: AsyncSession, quiz: QuizShown, changes: QuizUpdate) -> Quiz | None:
    return await crud.update_quiz(session, quiz.id, changes)


# Questions


@cached(QUESTIONS, key="of:{quiz_id}:{approved_only}:{skip}:{limit}", tags=["questions:{quiz_id}"])
async def get_quiz_questions(
    session: AsyncSession, quiz_id: UUID, approved_only: bool = False, skip: int = 0, limit: int = 50
) -> list[QuestionShown]:
    async with committed(session) as apart:
        return await crud.get_quiz_questions(apart, quiz_id, approved_only, skip, limit)


@cached(QUESTIONS, "5m", key="statistics:{quiz_id}", tags=["questions:{quiz_id}"])
async def get_question_statistics(session: AsyncSession, quiz_id: UUID) -> QuestionStatistics:
    async with committed(session) as apart:
        return await crud.get_question_statistics(apart, quiz_id)


# The quiz itself stays as it is.
@cache_invalidate(EVERYWHERE, tags=["questions:{quiz_id}"], after_commit=SESSION)
async def approve_questions_bulk(session: AsyncSession, quiz_id: UUID, question_ids: Sequence[UUID]) -> int:
    return await crud.approve_questions_bulk(session, quiz_id, question_ids)


@cache_invalidate(
    EVERYWHERE, tags=["quiz:{quiz.id}", "questions:{quiz.id}", "list:{quiz.owner_id}"], after_commit=SESSION
)
async def replace_questions(session: AsyncSession, quiz: QuizShown, drafts: Sequence[QuestionDraft]) -> Quiz:
    return await crud.replace_questions(session, quiz.id, drafts)


# Only reads are kept; a new user is in nobody's way.
__all__ = [
    "approve_questions_bulk",
    "create_quiz",
    "create_user",
    "get_question_statistics",
    "get_quiz_by_id",
    "get_quiz_questions",
    "get_quiz_with_questions",
    "get_user",
    "get_user_by_email",
    "get_user_quizzes",
    "replace_questions",
    "update_quiz",
    "update_user",
]
