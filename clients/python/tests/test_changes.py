"""What a decorated function that changes data does to what is kept, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from pannier import MISS, cache, cache_invalidate, cache_put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pannier import Cache


class BrokenSourceError(Exception):
    pass


def test_cache_put_keeps_what_a_change_returns(store: Cache) -> None:
    @cache_put("ns", "user:{name}", ttl="1h", tags=["team:{team}"])
    def save(name: str, team: int) -> dict[str, str]:
        return {"name": name}

    assert save("a", 3) == {"name": "a"}
    assert store.get("ns", "user:a") == {"name": "a"}
    entry = store.get_entry("ns", "user:a")
    assert entry is not None
    assert (entry.ttl, entry.tags) == (3600, ["team:3"])


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"key_pattern": "u:{name}"}, {"u:b", "u:*", "x"}),
        ({"key_pattern": "u:*"}, {"x"}),
        ({"tags": ["t:{name}"]}, {"u:b", "u:*", "x"}),
        ({"tags": ["t:{result}"]}, {"u:a", "u:*", "x"}),
        ({"key_pattern": "u:{name}", "tags": ["t:b"]}, {"u:*", "x"}),
        ({}, set()),
    ],
)
def test_cache_invalidate(store: Cache, options: dict[str, Any], left: set[str]) -> None:
    for key, tags in (("u:a", ["t:a"]), ("u:b", ["t:b"]), ("u:*", []), ("x", [])):
        store.set("ns", key, 1, tags=tags)

    @cache_invalidate("ns", **options)
    def change(name: str) -> str:
        return "b"

    assert change("a") == "b"
    assert set(store.keys("ns")) == left

    @cache_invalidate("ns", **options)
    async def change_too(name: str) -> str:
        return "b"

    async def run() -> None:
        await change_too("a")
        await cache.aclose()

    asyncio.run(run())
    assert set(store.keys("ns")) == left


def test_a_change_that_fails_invalidates_nothing(store: Cache) -> None:
    store.set("ns", "k", 1)

    @cache_invalidate("ns", "k")
    def change() -> None:
        raise BrokenSourceError

    with pytest.raises(BrokenSourceError):
        change()
    assert store.get("ns", "k") == 1


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    with Session(engine) as session:
        yield session
    engine.dispose()


@cache_invalidate("ns", "k", after_commit="session")
def change(session: Session) -> None:
    session.execute(text("select 1"))


def test_what_is_changed_is_invalidated_after_the_commit(store: Cache, session: Session) -> None:
    store.set("ns", "k", 1)
    change(session)
    assert store.get("ns", "k") == 1
    session.commit()
    assert store.get("ns", "k") is MISS


@pytest.mark.parametrize("end", [Session.rollback, Session.close])
def test_what_is_not_committed_invalidates_nothing(store: Cache, session: Session, end: Any) -> None:
    store.set("ns", "k", 1)
    change(session)
    end(session)
    session.execute(text("select 1"))
    session.commit()
    assert store.get("ns", "k") == 1


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_the_end_of_a_savepoint_is_no_end(store: Cache, session: Session, end: str) -> None:
    """Else a reader keeps anew what was there before, or what stays changed is never invalidated."""
    store.set("ns", "k", 1)
    change(session)
    savepoint = session.begin_nested()
    session.execute(text("select 1"))
    getattr(savepoint, end)()
    assert store.get("ns", "k") == 1
    session.commit()
    assert store.get("ns", "k") is MISS


def test_where_no_transaction_is_open_it_is_done_at_once(store: Cache, session: Session) -> None:
    store.set("ns", "k", 1)

    @cache_invalidate("ns", "k", after_commit="session")
    async def change_and_commit(session: Session) -> None:
        session.execute(text("select 1"))
        session.commit()

    async def run() -> None:
        await change_and_commit(session)
        await cache.aclose()

    asyncio.run(run())
    assert store.get("ns", "k") is MISS


def test_an_argument_that_is_not_there_is_found_when_the_function_is_decorated() -> None:
    with pytest.raises(TypeError, match="has no parameter 'nothing'"):
        cache_invalidate("ns", "k", after_commit="nothing")(change)


def test_an_async_session_is_told_without_holding_up_its_loop(store: Cache) -> None:
    @cache_invalidate("ns", "k", after_commit="session")
    async def change(session: AsyncSession) -> None:
        await session.execute(text("select 1"))

    async def run() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        async with AsyncSession(engine) as session:
            await change(session)
            assert store.exists("ns", "k") is True
            await session.rollback()
            assert store.exists("ns", "k") is True
            await change(session)
            await session.commit()
            assert store.exists("ns", "k") is False
            store.set("ns", "k", 1)
            # Nothing is open any more.
            await change_nothing(session)
            assert store.exists("ns", "k") is False
        await engine.dispose()
        await cache.aclose()

    @cache_invalidate("ns", "k", after_commit="session")
    async def change_nothing(session: AsyncSession) -> None: ...

    store.set("ns", "k", 1)
    # Its twin would hold the loop up; nobody has opened it.
    cache.sync.close()
    asyncio.run(run())
    assert getattr(cache.sync.link, "_local", None) is not None
    assert getattr(cache.sync.link._local, "end", None) is None  # type: ignore[attr-defined]
