"""What type checkers make of decorated routes: run by none, read by mypy and basedpyright."""

from __future__ import annotations

from typing_extensions import assert_type

from pannier.fastapi import http_cache, http_invalidate


@http_cache("10m", tags=["quiz:{quiz_id}"])
def plain(quiz_id: int, page: int = 1) -> list[str]:
    return [str(quiz_id)] * page


@http_cache("10m", public=True)
async def awaited(quiz_id: int, *, draft: bool = False) -> dict[str, int] | None:
    return {"id": quiz_id} if draft else None


@http_invalidate(tags=["quiz:{quiz_id}"])
async def changed(quiz_id: int) -> int:
    return quiz_id


async def called() -> None:
    assert_type(plain(1, page=2), list[str])
    assert_type(await awaited(1, draft=True), dict[str, int] | None)
    assert_type(await changed(1), int)
