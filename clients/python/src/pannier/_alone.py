"""One run at a time of a process for each key, where no sidecar sees to that: those who wait for it take its result."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable, Callable

    from ._values import Codec


class Outcome:
    """What a run came to, for those who wait: its result as bytes, of which each makes a value of its own; None: it has
    none, and each runs the function itself.
    """

    __slots__ = ("done", "error", "raw")

    def __init__(self) -> None:
        # Made by the first who waits: most wait for nobody.
        self.done: threading.Event | None = None
        self.raw: bytes | None = None
        self.error: Exception | None = None


class Alone:
    def __init__(self, codec: Codec[Any]) -> None:
        self._codec = codec
        self._lock = threading.Lock()
        self._running: dict[str, Outcome] = {}
        # None: nobody waits yet.
        self._awaited: dict[tuple[AbstractEventLoop, str], Future[bytes | None] | None] = {}

    def run(self, key: str, function: Callable[[], Any]) -> Any:
        with self._lock:
            mine = Outcome()
            others = self._running.setdefault(key, mine)
            if others is not mine and others.done is None:
                others.done = threading.Event()
        if others is not mine:
            return self._result_of(others, function)
        try:
            result = function()
        except Exception as error:
            mine.error = error
            self._end(key, mine)
            raise
        except BaseException:
            self._end(key, mine)
            raise
        self._end(key, mine, result)
        return result

    def _result_of(self, others: Outcome, function: Callable[[], Any]) -> Any:
        assert others.done is not None
        others.done.wait()
        if others.error is not None:
            raise others.error
        return function() if others.raw is None else self._codec.decode(others.raw)

    def _end(self, key: str, mine: Outcome, result: Any = None) -> None:
        with self._lock:
            del self._running[key]
        if mine.done is not None:
            mine.raw = None if mine.error is not None else self._bytes(result)
            mine.done.set()

    async def run_async(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        import asyncio

        place = (asyncio.get_running_loop(), key)
        if place in self._awaited:
            others = self._awaited[place]
            if others is None:
                others = self._awaited[place] = place[0].create_future()
            # Whoever runs it may be cancelled: then each goes on by itself.
            raw = await asyncio.shield(others)
            return await function() if raw is None else self._codec.decode(raw)
        self._awaited[place] = None
        try:
            result = await function()
        except Exception as error:
            mine = self._awaited.pop(place)
            if mine is not None:
                mine.set_exception(error)
                # Those who waited may have gone.
                mine.exception()
            raise
        except BaseException:
            mine = self._awaited.pop(place)
            if mine is not None:
                mine.set_result(None)
            raise
        mine = self._awaited.pop(place)
        if mine is not None:
            mine.set_result(self._bytes(result))
        return result

    def _bytes(self, result: Any) -> bytes | None:
        try:
            return self._codec.encode(result)
        except TypeError:
            return None
