"""Reads of `cached_crud` for many at once: each is kept by itself, where a read for one finds it, and what nobody has
yet is loaded with one statement for all. Warming asks so.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import crud
from app.core.cache import QUESTIONS, QUIZZES, USERS
from app.core.database import committed
from app.models import QuestionShown, QuestionStatistics, QuizShown, QuizWithQuestions, UserShown
from app.repositories import questions, quizzes, users
from pannier import cached_many


@cached_many(USERS, "user_ids", key="{user_ids}", tags=["user:{user_ids}"])
async def get_users(session: AsyncSession, user_ids: Sequence[UUID]) -> dict[UUID, UserShown]:
    async with committed(session) as apart:
        return {user.id: UserShown.model_validate(user) for user in await users.by_ids(apart, user_ids)}


@cached_many(QUIZZES, "quiz_ids", "10m", key="{quiz_ids}", tags=["quiz:{quiz_ids}"])
async def get_quizzes(session: AsyncSession, quiz_ids: Sequence[UUID]) -> dict[UUID, QuizShown]:
    async with committed(session) as apart:
        return {quiz.id: QuizShown.model_validate(quiz) for quiz in await quizzes.by_ids(apart, quiz_ids)}


@cached_many(
    QUIZZES,
    "quiz_ids",
    "15m",
    key="full:{quiz_ids}:{approved_only}",
    tags=["quiz:{quiz_ids}", "questions:{quiz_ids}"],
)
async def get_quizzes_with_questions(
    session: AsyncSession, quiz_ids: Sequence[UUID], approved_only: bool = False
) -> dict[UUID, QuizWithQuestions]:
    async with committed(session) as apart:
        found = await questions.of_quizzes(apart, quiz_ids, approved_only)
        return {quiz.id: crud.with_questions(quiz, found[quiz.id]) for quiz in await quizzes.by_ids(apart, quiz_ids)}


@cached_many(QUESTIONS, "quiz_ids", key="of:{quiz_ids}:{approved_only}:{skip}:{limit}", tags=["questions:{quiz_ids}"])
async def get_questions(
    session: AsyncSession, quiz_ids: Sequence[UUID], approved_only: bool = False, skip: int = 0, limit: int = 50
) -> dict[UUID, list[QuestionShown]]:
    async with committed(session) as apart:
        found = await questions.of_quizzes(apart, quiz_ids, approved_only)
        return {quiz_id: crud.shown(found[quiz_id][skip : skip + limit]) for quiz_id in quiz_ids}


@cached_many(QUESTIONS, "quiz_ids", "5m", key="statistics:{quiz_ids}", tags=["questions:{quiz_ids}"])
async def get_statistics(session: AsyncSession, quiz_ids: Sequence[UUID]) -> dict[UUID, QuestionStatistics]:
    async with committed(session) as apart:
        found = await questions.of_quizzes(apart, quiz_ids, approved_only=False)
        return {quiz_id: crud.statistics_of(found[quiz_id]) for quiz_id in quiz_ids}
