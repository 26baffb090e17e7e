"""A multiple choice question, as the LLM drafts it and as its quiz has it."""

from datetime import datetime
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.models.moments import Moment, now


class QuestionDraft(SQLModel):
    """`answer` counts the options from nought."""

    text: str
    options: list[str]
    answer: int


class Question(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    quiz_id: UUID = Field(foreign_key="quiz.id", index=True)
    position: int
    text: str
    options: list[str] = Field(sa_type=JSON)
    answer: int
    is_approved: bool = False
    approved_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class QuestionShown(BaseModel):
    """As it is read. No row: many of these are made of what is kept in the time that one row takes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    quiz_id: UUID
    position: int
    text: str
    options: list[str]
    answer: int
    is_approved: bool
    approved_at: datetime | None
    created_at: datetime


class QuestionStatistics(SQLModel):
    """Of one quiz."""

    total: int
    approved: int
    average_options: float


class Approval(SQLModel):
    """The questions of one quiz that are approved of together, or none of them is."""

    question_ids: list[UUID] = Field(min_length=1, max_length=500)
