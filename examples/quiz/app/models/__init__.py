"""The tables, and the shapes in which they are asked for, changed and shown."""

from app.models.question import Approval, Question, QuestionDraft, QuestionStatistics
from app.models.quiz import Quiz, QuizCreate, QuizStatus, QuizUpdate, QuizWithQuestions
from app.models.user import User, UserCreate, UserUpdate

__all__ = [
    "Approval",
    "Question",
    "QuestionDraft",
    "QuestionStatistics",
    "Quiz",
    "QuizCreate",
    "QuizStatus",
    "QuizUpdate",
    "QuizWithQuestions",
    "User",
    "UserCreate",
    "UserUpdate",
]
