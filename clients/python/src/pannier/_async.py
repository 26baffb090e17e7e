"""One connection an event loop, on which all its tasks' requests go out together. It knows no ops.

Each request has an id, so that a caller that gave up, or was cancelled, costs no connection and no other caller its
answer.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ._breaker import Breaker
from ._errors import UnavailableError
from ._settings import settings
from ._wire import split_id

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Transport
    from collections.abc import Callable
    from typing import Final

    Undo = Callable[[bytes], list[bytes]]

# asyncio's own reads, of 256 KiB, cost a mapping of memory each.
_READ_BYTES: Final = 64 << 10
# How often deadlines are looked at while anything is awaited: a timer a request costs as much as half the request.
_SWEEP_SECONDS: Final = 0.02


class AsyncLink:
    """All connections of a process to one socket."""

    def __init__(self, socket: str | None) -> None:
        self._argument = socket
        self._connections: WeakKeyDictionary[AbstractEventLoop, _Connection] = WeakKeyDictionary()
        self._breaker: Breaker | None = None
        self._key: tuple[int, int] = (-1, -1)

    async def exchange(self, line: bytes, wait: float = 0.0, undo: Undo | None = None) -> bytes:
        """The answer to a request, without its end and its id. `wait`: for so long the sidecar was asked to wait.
        `undo`: of an answer that comes when nobody waits for it, the requests that are to be sent because of it.
        """
        breaker = self._prepared()
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None or connection.is_lost:
            if not breaker.allows():
                raise UnavailableError("the sidecar did not answer a moment ago")
            connection = self._connections[loop] = _Connection(loop, breaker)
            connection.opening = loop.create_task(connection.open(settings.path(self._argument)))
        elif breaker.is_open and not breaker.allows():
            raise UnavailableError("the sidecar did not answer a moment ago")
        return await connection.ask(line, settings.request_timeout + wait, undo)

    def tell(self, line: bytes) -> None:
        """Sends a request whose answer nobody waits for."""
        connection = self._connections.get(asyncio.get_running_loop())
        if connection is not None and not connection.is_lost:
            connection.tell(line)

    async def aclose(self) -> None:
        """The running loop's connection."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            connection.close()

    def _prepared(self) -> Breaker:
        """Of this process, and of what it is configured as now."""
        key = (os.getpid(), settings.version)
        if self._key != key or self._breaker is None:
            self._key = key
            # A parent's are forgotten and never closed: its poller is shared with its child, and would lose them, too.
            self._connections = WeakKeyDictionary()
            self._breaker = Breaker(settings.path(self._argument), settings.breaker_pause)
        return self._breaker


class _Connection(asyncio.BufferedProtocol):
    def __init__(self, loop: AbstractEventLoop, breaker: Breaker) -> None:
        self._loop = loop
        self._breaker = breaker
        self._transport: Transport | None = None
        self._buffer = bytearray(_READ_BYTES)
        self._unread: list[bytes] = []
        self._waiting: dict[int, tuple[Future[bytes], float]] = {}
        # Whose callers gave up.
        self._abandoned: dict[int, Undo] = {}
        self._last_id = 0
        self._unsent: list[bytes] = []
        self._is_sweeping = False
        self.is_lost = False
        self.opening: asyncio.Task[None] | None = None

    # MARK: Asking

    async def ask(self, line: bytes, seconds: float, undo: Undo | None) -> bytes:
        future: Future[bytes] = self._loop.create_future()
        number = self.tell(line)
        self._waiting[number] = (future, self._loop.time() + seconds)
        if not self._is_sweeping:
            self._is_sweeping = True
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        try:
            return await future
        except BaseException:
            if undo is not None:
                self._given_up(number, future, undo)
            raise
        finally:
            self._waiting.pop(number, None)

    def _given_up(self, number: int, future: Future[bytes], undo: Undo) -> None:
        if future.done() and not future.cancelled() and future.exception() is None:
            # The answer came first, and then the end of whoever asked.
            self._undo(future.result(), undo)
        elif not self.is_lost:
            self._abandoned[number] = undo

    def _undo(self, answer: bytes, undo: Undo) -> None:
        for line in undo(answer):
            self.tell(line)

    def tell(self, line: bytes) -> int:
        self._last_id = number = self._last_id + 1
        self._unsent.append(b'{"id":%d,' % number + line[1:])
        # What other tasks ask in this turn of the loop goes out with it.
        if len(self._unsent) == 1:
            self._loop.call_soon(self._flush)
        return number

    def _flush(self) -> None:
        if self._transport is None or not self._unsent:
            return
        self._unsent.append(b"")
        self._transport.write(b"\n".join(self._unsent))
        self._unsent.clear()

    def _sweep(self) -> None:
        """Tells those whose time is up. A sidecar that kept somebody waiting isn't asked for a while."""
        now = self._loop.time()
        late = [future for future, deadline in self._waiting.values() if deadline <= now and not future.done()]
        if late:
            self._breaker.fail("no answer in time")
            for future in late:
                future.set_exception(UnavailableError("no answer in time"))
        self._is_sweeping = bool(self._waiting) and not self.is_lost
        if self._is_sweeping:
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    # MARK: The connection

    async def open(self, path: str) -> None:
        try:
            connecting = self._loop.create_unix_connection(lambda: self, path)
            transport, _ = await asyncio.wait_for(connecting, settings.connect_timeout)
        except (OSError, asyncio.TimeoutError) as error:
            self._end(str(error) or "no connection in time")
            return
        self._transport = transport
        if self.is_lost:
            # Closed meanwhile.
            transport.close()
        self._flush()

    def close(self) -> None:
        self._end("the client has closed the connection", is_failure=False)
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the sidecar has closed the connection")

    def _end(self, why: str, *, is_failure: bool = True) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        # Where nobody waits it may have been restarted, and the next caller finds out.
        if is_failure and self._waiting:
            self._breaker.fail(why)
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(UnavailableError(why))
        self._unsent.clear()

    # MARK: Answers

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        first, *more = bytes(memoryview(self._buffer)[:nbytes]).split(b"\n")
        # A large answer comes in many parts, joined once.
        self._unread.append(first)
        if not more:
            return
        self._received(b"".join(self._unread))
        self._unread = [more.pop()]
        for line in more:
            self._received(line)
        self._breaker.succeed()

    def _received(self, line: bytes) -> None:
        number, answer = split_id(line)
        found = self._waiting.get(number)
        if found is not None and not found[0].done():
            found[0].set_result(answer)
        elif number in self._abandoned:
            self._undo(answer, self._abandoned.pop(number))
