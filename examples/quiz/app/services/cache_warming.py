"""What is worth loading before anybody asks for it: the quizzes that were changed last, which are read most. It loads
nothing: `pannier.warm` does, on one worker of a host at a time.
"""

from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import UUID

import httpx
from starlette.types import ASGIApp

from app.core.cache import QUIZZES
from app.core.database import Sessions
from app.repositories import quizzes
from app.services import bulk, cached_crud
from pannier import warmer

# Loaded with one statement.
AT_ONCE: Final = 50


def register(app: ASGIApp, sessions: Sessions, batch_size: int) -> None:
    """For this process, which has one database."""
    inside = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside")

    @warmer(QUIZZES)
    async def latest() -> AsyncGenerator[tuple[Any, ...], None]:
        # Each load has a session of its own: this one tells them the database.
        async with sessions() as session:
            found = await quizzes.changed_last(session, batch_size)
            for begin in range(0, len(found), AT_ONCE):
                some = found[begin : begin + AT_ONCE]
                quiz_ids = [quiz.id for quiz in some]
                yield bulk.get_users, session, list({quiz.owner_id for quiz in some})
                yield bulk.get_quizzes, session, quiz_ids
                yield bulk.get_quizzes_with_questions, session, quiz_ids
                yield bulk.get_questions, session, quiz_ids
                yield bulk.get_statistics, session, quiz_ids
            for owner_id in {quiz.owner_id for quiz in found}:
                yield cached_crud.get_user_quizzes, session, owner_id
            for quiz in found:
                yield ask, inside, f"/api/quiz/{quiz.id}/full", quiz.owner_id


async def ask(inside: httpx.AsyncClient, path: str, user_id: UUID) -> None:
    """As a client would, so that the whole answer is kept; but without a connection."""
    (await inside.get(path, headers={"X-User-Id": str(user_id)})).raise_for_status()
