"""What a transaction does to what is kept, function by function: nothing before its commit, and nothing without one."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

import pannier
from app.core.config import database_url
from app.core.database import create_engine, sessions
from app.models import QuizUpdate
from app.services import cached_crud
from pannier import MISS
from seed import quiz_id
from world import World


def in_a_session(world: World, body: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = create_engine(database_url(world.database))
        try:
            async with sessions(engine)() as session:
                await body(session)
        finally:
            await engine.dispose()
            await pannier.cache.aclose()

    pannier.configure(socket=world.sidecar)
    asyncio.run(run())
    # What commits tell is told by connections of threads.
    pannier.cache.sync.close()


def test_a_change_ends_what_is_kept_when_it_commits_and_not_before(world: World) -> None:
    async def body(session: AsyncSession) -> None:
        quiz = await cached_crud.get_quiz_by_id(session, quiz_id(30))
        assert quiz is not None
        await cached_crud.update_quiz(session, quiz, QuizUpdate(title="Changed"))
        assert await cached_crud.get_quiz_by_id.get(session, quiz.id) == quiz
        await session.commit()
        assert await cached_crud.get_quiz_by_id.get(session, quiz.id) is MISS
        changed = await cached_crud.get_quiz_by_id(session, quiz.id)
        assert changed is not None
        assert changed.title == "Changed"

    in_a_session(world, body)


def test_a_change_that_is_rolled_back_ends_nothing(world: World) -> None:
    async def body(session: AsyncSession) -> None:
        quiz = await cached_crud.get_quiz_by_id(session, quiz_id(31))
        full = await cached_crud.get_quiz_with_questions(session, quiz_id(31))
        assert quiz is not None
        assert full is not None
        await cached_crud.update_quiz(session, quiz, QuizUpdate(title="Never"))
        await cached_crud.approve_questions_bulk(session, quiz.id, [full.questions[1].id])
        await session.rollback()
        # Nor does the next commit of the session.
        await cached_crud.get_user(session, quiz.owner_id)
        await session.commit()
        assert await cached_crud.get_quiz_by_id.get(session, quiz.id) == quiz
        assert await cached_crud.get_quiz_with_questions.get(session, quiz.id) == full

    in_a_session(world, body)


def test_nothing_uncommitted_is_kept(world: World) -> None:
    async def body(session: AsyncSession) -> None:
        quiz = await cached_crud.get_quiz_by_id(session, quiz_id(32))
        assert quiz is not None
        await cached_crud.update_quiz(session, quiz, QuizUpdate(title="Not yet"))
        await cached_crud.get_quiz_by_id.invalidate(session, quiz.id)
        assert await cached_crud.get_quiz_by_id(session, quiz.id) == quiz
        await session.rollback()
        assert await cached_crud.get_quiz_by_id(session, quiz.id) == quiz

    in_a_session(world, body)


def test_what_a_hit_gives_is_as_what_a_miss_gave(world: World) -> None:
    async def body(session: AsyncSession) -> None:
        for read in (
            lambda: cached_crud.get_quiz_by_id(session, quiz_id(33)),
            lambda: cached_crud.get_quiz_with_questions(session, quiz_id(33)),
            lambda: cached_crud.get_quiz_questions(session, quiz_id(33)),
            lambda: cached_crud.get_question_statistics(session, quiz_id(33)),
        ):
            missed, hit = await read(), await read()
            assert missed == hit
            assert type(missed) is type(hit)

    in_a_session(world, body)
