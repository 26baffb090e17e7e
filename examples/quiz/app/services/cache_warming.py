"""What is worth loading before anybody asks for it: the quizzes that were changed last, which are read most. It loads
nothing: `pannier.warm` does, on one worker of a host at a time.
"""

from collections.abc import AsyncGenerator
from typing import Any

from app.core.cache import QUIZZES
from app.core.database import Sessions
from app.repositories import quizzes
from app.services import cached_crud
from pannier import warmer


def register(sessions: Sessions, batch_size: int) -> None:
    """For this process, which has one database."""

    @warmer(QUIZZES)
    async def latest() -> AsyncGenerator[tuple[Any, ...], None]:
        # Each load has a session of its own: this one tells them the database.
        async with sessions() as session:
            for quiz in await quizzes.changed_last(session, batch_size):
                yield cached_crud.get_user, session, quiz.owner_id
                yield cached_crud.get_quiz_by_id, session, quiz.id
                yield cached_crud.get_quiz_with_questions, session, quiz.id
                yield cached_crud.get_quiz_questions, session, quiz.id
                yield cached_crud.get_question_statistics, session, quiz.id
