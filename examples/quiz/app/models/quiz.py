"""A quiz: which modules of a course it is made of, and how far it is."""

from datetime import datetime
from enum import Enum
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.models.moments import Moment, now
from app.models.question import QuestionShown


class QuizStatus(str, Enum):
    DRAFT = "draft"
    READY = "ready"
    FAILED = "failed"


class QuizCreate(SQLModel):
    title: str = Field(min_length=1, max_length=200)
    course_id: int
    module_ids: list[int] = Field(min_length=1, max_length=50)
    question_count: int = Field(default=5, ge=1, le=50)
    temperature: float = Field(default=0.0, ge=0, le=2)


class QuizUpdate(SQLModel):
    """What is left out stays."""

    title: str | None = Field(default=None, min_length=1, max_length=200)
    question_count: int | None = Field(default=None, ge=1, le=50)
    status: QuizStatus | None = None


class Quiz(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="user.id", index=True)
    title: str
    course_id: int
    module_ids: list[int] = Field(sa_type=JSON)
    question_count: int
    temperature: float
    # Text, and not an enumeration of the database's own, which differs between databases.
    status: str = Field(default=QuizStatus.DRAFT.value, index=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment, index=True)


class QuizShown(BaseModel):
    """As it is read; no row, as with questions."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner_id: UUID
    title: str
    course_id: int
    module_ids: list[int]
    question_count: int
    temperature: float
    status: QuizStatus
    created_at: datetime
    updated_at: datetime


class QuizWithQuestions(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    quiz: QuizShown
    questions: list[QuestionShown]
