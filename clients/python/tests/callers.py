"""What tests of functions share: how they are called, what they are counted as, and time that passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pannier import AsyncCache, Cache, cache
from talk import request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from daemon import Daemon
    from pannier.testing import FakeCache


async def closing(asked: Awaitable[Any], store: AsyncCache = cache) -> Any:
    """Awaited, and then the loop's connection is closed."""
    try:
        return await asked
    finally:
        await store.aclose()


class BrokenSourceError(Exception):
    pass


def counters(store: Cache, ns: str = "ns") -> dict[str, Any]:
    found: dict[str, Any] = store.stats(ns)["namespaces"][ns]
    return found


def waiting(fake: FakeCache, ns: str = "ns") -> int:
    """How many do, at this moment."""
    count: int = fake.stats(ns)["waits"]["now"]
    return count


def pass_time(sidecar: Daemon, seconds: float) -> None:
    with sidecar.connect() as peer:
        peer.ask(request("advance", seconds=seconds))


class Plain:
    """An async function's calls, each on a loop of its own."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._function(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self._run(getattr(self._function, name)(*args, **kwargs))

    def _run(self, asked: Any) -> Any:
        return asyncio.run(closing(asked))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)
