"""Statements on the users' table."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import User


async def by_id(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.get(User, user_id)


async def by_ids(session: AsyncSession, user_ids: Sequence[UUID]) -> Sequence[User]:
    return (await session.scalars(select(User).where(col(User.id).in_(user_ids)))).all()


async def by_email(session: AsyncSession, email: str) -> User | None:
    return (await session.scalars(select(User).where(col(User.email) == email))).first()


async def add(session: AsyncSession, user: User) -> User:
    session.add(user)
    await session.flush()
    return user
