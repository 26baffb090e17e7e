"""What type checkers make of decorated functions: run by none, read by mypy and basedpyright."""

from __future__ import annotations

from uuid import UUID

from typing_extensions import assert_type

from pannier import AsyncCache, Cache, cache_invalidate, cache_put, cached, cached_many, llm_key, warm
from pannier._entry import Missing


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


@cached_many("quizzes", "quiz_ids", key="{quiz_ids}")
async def many(quiz_ids: list[UUID]) -> dict[UUID, str]:
    return {quiz_id: str(quiz_id) for quiz_id in quiz_ids}


async def loads(sync: Cache, other: AsyncCache, quiz_id: UUID) -> None:
    async def load() -> int:
        return 1

    async def load_these(keys: list[str]) -> dict[str, int]:
        return dict.fromkeys(keys, 1)

    assert_type(sync.get_or_set("users", "k", lambda: quiz_id, ttl="10m", tags=["t"]), UUID)
    assert_type(await other.get_or_set("users", "k", load), int)
    assert_type(await other.get_or_set_many("users", ["k"], load_these, wait=5), dict[str, int])
    assert_type(sync.namespace("users", str).get_or_set("k", lambda: "x"), str)
    assert_type(await other.namespace("users", int).get_many(["k"]), dict[str, int])
    assert_type(await many([quiz_id]), dict[UUID, str])
    assert_type([run.state for run in await warm("quizzes")], list[str])
    assert_type(llm_key("m", "hi", temperature=0), str)
