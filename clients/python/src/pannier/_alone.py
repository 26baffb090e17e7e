"""One run at a time of a process for each key, where no sidecar sees to that: those who wait for it take its result."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable, Callable

    from ._values import Codec


class Outcome:
    """What a run came to, for those who wait: its result, and its bytes if it has any, of which each makes a value of
    its own.
    """

    __slots__ = ("done", "error", "raw")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.raw: bytes | None = None
        self.error: Exception | None = None


class Alone:
    def __init__(self, codec: Codec[Any]) -> None:
        self._codec = codec
        self._lock = threading.Lock()
        self._running: dict[str, Outcome] = {}
        self._awaited: dict[tuple[AbstractEventLoop, str], Future[bytes | None]] = {}

    def run(self, key: str, function: Callable[[], Any]) -> Any:
        with self._lock:
            mine = self._running.get(key)
            is_first = mine is None
            if mine is None:
                mine = self._running[key] = Outcome()
        if not is_first:
            mine.done.wait()
            if mine.error is not None:
                raise mine.error
            return function() if mine.raw is None else self._codec.decode(mine.raw)
        try:
            result = function()
            mine.raw = self._bytes(result)
            return result
        except Exception as error:
            mine.error = error
            raise
        finally:
            with self._lock:
                del self._running[key]
            mine.done.set()

    async def run_async(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        import asyncio

        place = (asyncio.get_running_loop(), key)
        others = self._awaited.get(place)
        if others is not None:
            # Whoever runs it may be cancelled: then each goes on by itself.
            raw = await asyncio.shield(others)
            return await function() if raw is None else self._codec.decode(raw)
        mine: Future[bytes | None] = place[0].create_future()
        self._awaited[place] = mine
        try:
            result = await function()
            mine.set_result(self._bytes(result))
            return result
        except Exception as error:
            mine.set_exception(error)
            # Nobody need wait for it.
            mine.exception()
            raise
        finally:
            del self._awaited[place]
            if not mine.done():
                mine.set_result(None)

    def _bytes(self, result: Any) -> bytes | None:
        try:
            return self._codec.encode(result)
        except TypeError:
            return None
