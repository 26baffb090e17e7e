"""Engine and sessions, for SQLite and PostgreSQL alike. It knows no tables but by their metadata."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import SQLModel

Sessions = async_sessionmaker[AsyncSession]

# How long a writer of SQLite waits for another, in milliseconds: there is one at a time.
BUSY_MILLISECONDS = 10_000


def create_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    # Readers don't wait for the writer, and a commit waits for no disk: a power cut may cost the last ones.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


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
