"""The tables, and the shapes in which they are asked for, changed and shown."""

from app.models.question import Approval, Question, QuestionDraft, QuestionShown, QuestionStatistics
from app.models.quiz import Quiz, QuizCreate, QuizShown, QuizStatus, QuizUpdate, QuizWithQuestions
from app.models.user import User, UserCreate, UserShown, UserUpdate

__all__ = [
    "Approval",
    "Question",
    "QuestionDraft",
    "QuestionShown",
    "QuestionStatistics",
    "Quiz",
    "QuizCreate",
    "QuizShown",
    "QuizStatus",
    "QuizUpdate",
    "QuizWithQuestions",
    "User",
    "UserCreate",
    "UserShown",
    "UserUpdate",
]
