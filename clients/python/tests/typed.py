"""What type checkers make of decorated functions: run by none, read by mypy and basedpyright."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_type

from pannier import AsyncCache, Cache, cache_invalidate, cache_put, cached
from pannier._entry import Missing

if TYPE_CHECKING:
    from uuid import UUID


@cached("quizzes", ttl="10m", key="{quiz_id}")
def plain(quiz_id: UUID, page: int = 1) -> list[str]:
    return [str(quiz_id)] * page


@cached("quizzes")
async def awaited(quiz_id: UUID, *, draft: bool = False) -> dict[str, int] | None:
    return {str(quiz_id): 1} if draft else None


@cache_invalidate("quizzes", "{quiz_id}")
def changed(quiz_id: UUID) -> int:
    return quiz_id.int


@cache_put("quizzes", "{quiz_id}")
async def put(quiz_id: UUID) -> str:
    return str(quiz_id)


def sync_functions(quiz_id: UUID) -> None:
    assert_type(plain(quiz_id, page=2), list[str])
    assert_type(plain.key(quiz_id), str)
    assert_type(plain.get(quiz_id), list[str] | Missing)
    assert_type(plain.refresh(quiz_id), list[str])
    assert_type(plain.invalidate(quiz_id), bool)
    assert_type(changed(quiz_id), int)


async def async_functions(quiz_id: UUID) -> None:
    assert_type(await awaited(quiz_id, draft=True), dict[str, int] | None)
    assert_type(await awaited.get(quiz_id), dict[str, int] | Missing | None)
    assert_type(await awaited.invalidate(quiz_id), bool)
    assert_type(await put(quiz_id), str)


async def clients(sync: Cache, other: AsyncCache) -> None:
    assert_type(sync.namespace("users", str).get("k"), str | Missing)
    assert_type(sync.namespace("users", str).get("k", None), str | None)
    assert_type(await other.namespace("users", int).get("k"), int | Missing)
    assert_type(await other.set("users", "k", 1), bool)
