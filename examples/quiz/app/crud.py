"""What the application does with its data, uncached. Whoever calls it commits, or rolls back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import (
    Question,
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
    UserCreate,
    UserShown,
    UserUpdate,
)
from app.models.moments import now
from app.repositories import questions, quizzes, users


class UnknownQuestionError(LookupError):
    """Of the questions that were named, some aren't the quiz's."""


# Users


async def get_user(session: AsyncSession, user_id: UUID) -> UserShown | None:
    return _shown_user(await users.by_id(session, user_id))


async def get_user_by_email(session: AsyncSession, email: str) -> UserShown | None:
    return _shown_user(await users.by_email(session, email))


def _shown_user(user: User | None) -> UserShown | None:
    return None if user is None else UserShown.model_validate(user)


async def create_user(session: AsyncSession, new: UserCreate) -> User:
    return await users.add(session, User.model_validate(new))


async def update_user(session: AsyncSession, user_id: UUID, changes: UserUpdate) -> User | None:
    user = await users.by_id(session, user_id)
    if user is None:
        return None
    user.sqlmodel_update(changes.model_dump(exclude_unset=True, exclude_none=True))
    return await users.add(session, user)


# Quizzes


async def get_user_quizzes(
    session: AsyncSession, owner_id: UUID, skip: int = 0, limit: int = 20, status_filter: QuizStatus | None = None
) -> list[QuizShown]:
    found = await quizzes.of_owner(session, owner_id, skip, limit, status_filter)
    return [QuizShown.model_validate(quiz) for quiz in found]


async def get_quiz_by_id(session: AsyncSession, quiz_id: UUID) -> QuizShown | None:
    quiz = await quizzes.by_id(session, quiz_id)
    return None if quiz is None else QuizShown.model_validate(quiz)


async def get_quiz_with_questions(
    session: AsyncSession, quiz_id: UUID, approved_only: bool = False
) -> QuizWithQuestions | None:
    quiz = await quizzes.by_id(session, quiz_id)
    if quiz is None:
        return None
    return with_questions(quiz, await questions.of_quiz(session, quiz_id, approved_only))


def with_questions(quiz: Quiz, found: Sequence[Question]) -> QuizWithQuestions:
    return QuizWithQuestions(quiz=QuizShown.model_validate(quiz), questions=shown(found))


def shown(found: Sequence[Question]) -> list[QuestionShown]:
    return [QuestionShown.model_validate(question) for question in found]


async def create_quiz(session: AsyncSession, owner_id: UUID, new: QuizCreate) -> Quiz:
    return await quizzes.add(session, Quiz(owner_id=owner_id, **new.model_dump()))


async def update_quiz(session: AsyncSession, quiz_id: UUID, changes: QuizUpdate) -> Quiz | None:
    quiz = await quizzes.by_id(session, quiz_id)
    if quiz is None:
        return None
    quiz.sqlmodel_update(changes.model_dump(mode="json", exclude_unset=True, exclude_none=True))
    quiz.updated_at = now()
    return await quizzes.add(session, quiz)


# Questions


async def get_quiz_questions(
    session: AsyncSession, quiz_id: UUID, approved_only: bool = False, skip: int = 0, limit: int = 50
) -> list[QuestionShown]:
    return shown(await questions.of_quiz(session, quiz_id, approved_only, skip, limit))


async def get_question_statistics(session: AsyncSession, quiz_id: UUID) -> QuestionStatistics:
    return statistics_of(await questions.of_quiz(session, quiz_id, approved_only=False))


def statistics_of(found: Sequence[Question]) -> QuestionStatistics:
    options = sum(len(question.options) for question in found)
    return QuestionStatistics(
        total=len(found),
        approved=sum(question.is_approved for question in found),
        average_options=options / len(found) if found else 0.0,
    )


async def approve_questions_bulk(session: AsyncSession, quiz_id: UUID, question_ids: Sequence[UUID]) -> int:
    wanted = set(question_ids)
    approved = await questions.approve(session, quiz_id, list(wanted), now())
    if approved != len(wanted):
        # Some have been changed by now: it is the caller's rollback that undoes it.
        raise UnknownQuestionError(f"{len(wanted) - approved} of the questions are not of this quiz")
    return approved


async def replace_questions(session: AsyncSession, quiz_id: UUID, drafts: Sequence[QuestionDraft]) -> Quiz:
    """What was generated takes the place of what the quiz had."""
    rows = [Question(quiz_id=quiz_id, position=place, **draft.model_dump()) for place, draft in enumerate(drafts)]
    await questions.replace(session, quiz_id, rows)
    updated = await update_quiz(session, quiz_id, QuizUpdate(status=QuizStatus.READY))
    assert updated is not None, "a quiz is not deleted"
    return updated
