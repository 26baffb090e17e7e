"""What routes are handed: a session, the user who asks, the clients, and the guard of the admin routes."""

import secrets
from collections.abc import AsyncIterator
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.clients.canvas import CanvasClient
from app.clients.llm import LLMClient
from app.core.config import Settings
from app.core.database import Sessions
from app.models import QuizShown, UserShown
from app.services import cached_crud

Found = TypeVar("Found")


def there(what: str, found: Found | None) -> Found:
    if found is None:
        raise HTTPException(404, f"there is no such {what}")
    return found


class Resources:
    """What an application has open while it runs."""

    def __init__(self, settings: Settings, sessions: Sessions, canvas: CanvasClient, llm: LLMClient) -> None:
        self.settings = settings
        self.sessions = sessions
        # Of reads, which go to the database on sessions of their own: this one only tells them which. It is never used
        # itself, and so needs no closing.
        self.reading = sessions()
        self.canvas = canvas
        self.llm = llm


# What a dependency depends on is gone through for each that does, also where it is known already: so they hardly depend
# on each other. None is a plain `def`, which would be run in a thread.


async def resources(request: Request) -> Resources:
    return opened(request)


def opened(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


ResourcesDep = Annotated[Resources, Depends(resources)]


async def reading(request: Request) -> AsyncSession:
    """For what changes nothing."""
    return opened(request).reading


ReadingDep = Annotated[AsyncSession, Depends(reading)]


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """Connects when it is first used. A change is committed by its route, before it answers."""
    async with opened(request).sessions() as own:
        yield own


SessionDep = Annotated[AsyncSession, Depends(session)]


async def current_user(request: Request, x_user_id: Annotated[UUID, Header()]) -> UserShown:
    """Stands for an identity that a proxy has proven."""
    user = await cached_crud.get_user(opened(request).reading, x_user_id)
    if user is None:
        raise HTTPException(401, "nobody has this X-User-Id")
    return user


UserDep = Annotated[UserShown, Depends(current_user)]


async def shown_quiz(request: Request, user: UserDep, quiz_id: UUID) -> QuizShown:
    """Whoever is known may read it."""
    return there("quiz", await cached_crud.get_quiz_by_id(opened(request).reading, quiz_id))


ShownQuizDep = Annotated[QuizShown, Depends(shown_quiz)]


async def own_quiz(quiz: ShownQuizDep, user: UserDep) -> QuizShown:
    """Only its owner may change it."""
    if quiz.owner_id != user.id:
        raise HTTPException(403, "this quiz is another user's")
    return quiz


OwnQuizDep = Annotated[QuizShown, Depends(own_quiz)]


async def admin(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    token = opened(request).settings.admin_token
    if token is None:
        raise HTTPException(404, "there are no admin routes: ADMIN_TOKEN is not set")
    if not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise HTTPException(401, "expected Authorization: Bearer with the admin token")
