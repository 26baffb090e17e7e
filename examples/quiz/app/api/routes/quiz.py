"""Quizzes and their questions. A change commits before it answers, so that whoever reads next sees it."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from app import crud
from app.api.deps import OwnQuizDep, ReadingDep, ResourcesDep, SessionDep, ShownQuizDep, UserDep, there
from app.clients.canvas import CanvasError
from app.core.cache import QUIZZES
from app.models import (
    Approval,
    QuestionShown,
    QuestionStatistics,
    Quiz,
    QuizCreate,
    QuizShown,
    QuizStatus,
    QuizUpdate,
    QuizWithQuestions,
)
from app.services import cached_crud
from app.services.content_extraction import Extraction, extract_content
from app.services.mcq_generation import GenerationStatus, generate_questions
from pannier.fastapi import http_cache

router = APIRouter(prefix="/api/quiz", tags=["quiz"])

Skip = Annotated[int, Query(ge=0, le=100_000)]
Limit = Annotated[int, Query(ge=1, le=200)]


class Approved(BaseModel):
    approved: int


@router.post("/", status_code=201, response_model=QuizShown)
async def create(new: QuizCreate, session: SessionDep, user: UserDep) -> Quiz:
    quiz = await cached_crud.create_quiz(session, user.id, new)
    await session.commit()
    return quiz


@router.get("/")
async def list_own(
    session: ReadingDep, user: UserDep, skip: Skip = 0, limit: Limit = 20, status: QuizStatus | None = None
) -> list[QuizShown]:
    return await cached_crud.get_user_quizzes(session, user.id, skip, limit, status)


@router.get("/{quiz_id}")
async def show(quiz: ShownQuizDep) -> QuizShown:
    return quiz


@router.patch("/{quiz_id}", response_model=QuizShown)
async def change(quiz: OwnQuizDep, changes: QuizUpdate, session: SessionDep) -> Quiz:
    changed = there("quiz", await cached_crud.update_quiz(session, quiz, changes))
    await session.commit()
    return changed


# The largest answer, asked for again and again while a quiz is taken: kept whole, so that who has it is told
# 304. It is the same for all whom the dependencies let in, and ended with what it is made of.
@router.get("/{quiz_id}/full")
@http_cache("15m", cache_name=QUIZZES, tags=["quiz:{quiz.id}", "questions:{quiz.id}"], public=True)
async def show_with_questions(
    quiz: ShownQuizDep, session: ReadingDep, approved_only: bool = False
) -> QuizWithQuestions:
    return there("quiz", await cached_crud.get_quiz_with_questions(session, quiz.id, approved_only))


@router.get("/{quiz_id}/questions")
async def list_questions(
    quiz: ShownQuizDep, session: ReadingDep, approved_only: bool = False, skip: Skip = 0, limit: Limit = 50
) -> list[QuestionShown]:
    return await cached_crud.get_quiz_questions(session, quiz.id, approved_only, skip, limit)


@router.get("/{quiz_id}/statistics")
async def show_statistics(quiz: ShownQuizDep, session: ReadingDep) -> QuestionStatistics:
    return await cached_crud.get_question_statistics(session, quiz.id)


@router.post("/{quiz_id}/questions/approve")
async def approve(quiz: OwnQuizDep, approval: Approval, session: SessionDep) -> Approved:
    try:
        approved = await cached_crud.approve_questions_bulk(session, quiz.id, approval.question_ids)
    except crud.UnknownQuestionError as error:
        await session.rollback()
        raise HTTPException(404, str(error)) from error
    await session.commit()
    return Approved(approved=approved)


@router.get("/{quiz_id}/content")
async def show_content(quiz: ShownQuizDep, having: ResourcesDep) -> Extraction:
    """What Canvas has for the quiz's modules, as text."""
    try:
        return await extract_content(having.canvas, quiz.course_id, quiz.module_ids)
    except CanvasError as error:
        raise HTTPException(502, f"Canvas: {error}") from error


@router.post("/{quiz_id}/generate", response_model=QuizShown)
async def generate(quiz: OwnQuizDep, session: SessionDep, having: ResourcesDep) -> Quiz:
    """Takes seconds where neither these modules nor these questions were asked for before."""
    content = await show_content(quiz, having)
    made = await generate_questions(
        having.llm, content.texts, quiz.question_count, having.settings.llm_model, quiz.temperature
    )
    if made.status is not GenerationStatus.COMPLETED:
        await cached_crud.update_quiz(session, quiz, QuizUpdate(status=QuizStatus.FAILED))
        await session.commit()
        raise HTTPException(502, f"the model: {made.error}")
    changed = await cached_crud.replace_questions(session, quiz, made.questions)
    await session.commit()
    return changed
