"""Engine and sessions, for SQLite and PostgreSQL alike. It knows no tables but by their metadata."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only
from sqlmodel import SQLModel

Sessions = async_sessionmaker[AsyncSession]

# How long a writer of SQLite waits for another, in milliseconds: there is one at a time.
BUSY_MILLISECONDS = 10_000
_WRITING = ("INSERT", "UPDATE", "DELETE")
# Of a connection whose turn it is to write.
_HAS_TURN = "has_turn"


def create_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        _queue_writers(engine)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    # Readers don't wait for the writer, and a commit waits for no disk: a power cut may cost the last ones.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _queue_writers(engine: AsyncEngine) -> None:
    """SQLite lets one write at a time and has no queue: whoever waits sleeps and tries again, and under load some never
    have the luck. Writers of this process come one after the other, so that few are left to try.
    """
    turn = asyncio.Lock()

    def begin(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if statement.startswith(_WRITING) and not connection.info.get(_HAS_TURN):
            # Within a greenlet of the loop, which goes on meanwhile.
            await_only(turn.acquire())
            connection.info[_HAS_TURN] = True

    def end(_: Any, record: ConnectionPoolEntry) -> None:
        """Committed or rolled back, however that came about."""
        if record.info.pop(_HAS_TURN, False):
            turn.release()

    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine.pool, "checkin", end)


def sessions(engine: AsyncEngine) -> Sessions:
    # A row is read after its commit, to be answered with.
    return async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


@asynccontextmanager
async def committed(session: AsyncSession) -> AsyncGenerator[AsyncSession, None]:
    """Another session on the same database, which sees what has been committed and nothing else.

    What is read through it may be kept for others: a read through the caller's own session would also see changes that
    may still be rolled back, and rows as it had loaded them before.
    """
    async with AsyncSession(session.bind, expire_on_commit=False) as apart:
        yield apart


async def create_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
