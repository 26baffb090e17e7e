"""One connection an event loop, on which all its tasks' requests go out together. It knows no ops.

Each request has an id, so that a caller that gave up, or was cancelled, costs no connection and no other caller its
answer.
"""

from __future__ import annotations

import asyncio
from asyncio import BufferedProtocol, CancelledError, get_running_loop
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ._breaker import Breaker
from ._errors import UnavailableError
from ._settings import settings
from ._sync import NOBODY_LISTENS
from ._unsent import TELL_SECONDS, Unsent, unsent_for
from ._wire import PING, split_id

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Transport
    from collections.abc import Callable
    from typing import Final

    Undo = Callable[[bytes, bytes], list[bytes]]

# asyncio's own reads, of 256 KiB, cost a mapping of memory each.
_READ_BYTES: Final = 64 << 10
# How often deadlines are looked at while anything is awaited: a timer a request costs as much as half the request.
_SWEEP_SECONDS: Final = 0.02


class AsyncLink:
    """All connections of a process to one socket. `undo`: of a request, and of an answer that comes when nobody waits
    for it, the requests that are to be sent because of it.
    """

    def __init__(self, socket: str | None, undo: Undo) -> None:
        self._argument = socket
        self._undo = undo
        self._connections: WeakKeyDictionary[AbstractEventLoop, _Connection] = WeakKeyDictionary()
        # The one used last: most processes have one loop.
        self._last: _Connection | None = None
        self._breaker: Breaker | None = None
        self._unsent = Unsent()
        self._version = -1

    async def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        """The answer to a request, without its end and its id. `wait`: for so long the sidecar was asked to wait."""
        loop = get_running_loop()
        connection = self._last
        if (
            connection is None
            or connection.loop is not loop
            or connection.is_lost
            or connection.version != settings.version
            or connection.breaker.is_open
        ):
            connection = self._last = self._usable(loop, is_change)
        if self._unsent.lines:
            self._tell_unsent(connection)
        future: Future[bytes] = loop.create_future()
        connection.send(line, future, loop.time() + settings.request_timeout + wait)
        try:
            return await future
        except CancelledError:
            # Where the answer had come first; where it comes later it is found then that nobody waits.
            if future.done() and not future.cancelled() and future.exception() is None:
                for made in self._undo(line, future.result()):
                    self.tell(made)
            raise

    def tell(self, line: bytes) -> None:
        """Sends a request whose answer nobody waits for."""
        connection = self._connections.get(get_running_loop())
        if connection is not None and not connection.is_lost:
            connection.send(line)

    def tell_later(self, line: bytes) -> None:
        unsent_for(settings.path(self._argument)).add(line)

    def _tell_unsent(self, connection: _Connection) -> None:
        unsent = self._unsent

        def told(line: bytes, future: Future[bytes]) -> None:
            if future.cancelled() or future.exception() is not None:
                unsent.add(line)

        for line in unsent.take():
            future: Future[bytes] = connection.loop.create_future()
            future.add_done_callback(partial(told, line))
            connection.send(line, future, connection.loop.time() + TELL_SECONDS)

    async def aclose(self) -> None:
        """The running loop's connection."""
        connection = self._connections.pop(get_running_loop(), None)
        if connection is not None:
            connection.close()

    def _usable(self, loop: AbstractEventLoop, is_change: bool) -> _Connection:
        if self._breaker is None or self._version != settings.version:
            # Of this process, and of what it is configured as now. A parent's are forgotten and never closed: its
            # poller is shared with its child, and would lose them, too.
            self._version = settings.version
            self._connections = WeakKeyDictionary()
            path = settings.path(self._argument)
            self._unsent = unsent_for(path)
            self._breaker = Breaker(path, settings.breaker_pause)
        if self._breaker.is_open and not self._breaker.allows(is_change=is_change):
            raise UnavailableError("the sidecar did not answer a moment ago")
        connection = self._connections.get(loop)
        if connection is None or connection.is_lost:
            for ended in [other for other in self._connections if other.is_closed()]:
                # With it goes its descriptor: some programs have a loop for each of many things.
                del self._connections[ended]
            connection = self._connections[loop] = _Connection(loop, self._breaker, self._undo, self._version)
            connection.opening = loop.create_task(connection.open(settings.path(self._argument)))
        return connection


class _Connection(BufferedProtocol):
    def __init__(self, loop: AbstractEventLoop, breaker: Breaker, undo: Undo, version: int) -> None:
        self.loop = loop
        self.version = version
        self.breaker = breaker
        self._undo = undo
        self._transport: Transport | None = None
        self._buffer = bytearray(_READ_BYTES)
        self._unread: list[bytes] = []
        # By id: the request, who waits for its answer, and until when. A future that is done: nobody does any more.
        self._waiting: dict[int, tuple[bytes, Future[bytes], float]] = {}
        self._last_id = 0
        self._unsent: list[bytes] = []
        self._is_sweeping = False
        self._heard_at = 0.0
        self._ping: Future[bytes] | None = None
        self.is_lost = False
        self.opening: asyncio.Task[None] | None = None

    # MARK: Asking

    def send(self, line: bytes, future: Future[bytes] | None = None, deadline: float = 0.0) -> None:
        self._last_id = number = self._last_id + 1
        self._unsent.append(b'{"id":%d,%b' % (number, line[1:]))
        # What other tasks ask in this turn of the loop goes out with it.
        if len(self._unsent) == 1:
            self.loop.call_soon(self._flush)
        if future is None:
            return
        self._waiting[number] = (line, future, deadline)
        if not self._is_sweeping:
            self._is_sweeping = True
            self._heard_at = self.loop.time()
            self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _flush(self) -> None:
        if self._transport is None or not self._unsent:
            return
        self._unsent.append(b"")
        self._transport.write(b"\n".join(self._unsent))
        self._unsent.clear()

    # MARK: Time

    def _sweep(self) -> None:
        """Tells those whose time is up, and whether one that keeps others waiting has any life in it. A sidecar that
        kept somebody waiting isn't asked for a while.
        """
        now = self.loop.time()
        for _, future, deadline in self._waiting.values():
            if deadline <= now and not future.done():
                self.breaker.fail("no answer in time")
                future.set_exception(UnavailableError("no answer in time"))
        if self._ping is not None and self._ping.done():
            is_dead, self._ping = self._ping.exception() is not None, None
            if is_dead:
                self._end("it hangs")
        elif self._ping is None and now - self._heard_at > settings.request_timeout:
            self._ping = self.loop.create_future()
            self.send(PING, self._ping, now + settings.request_timeout)
        self._is_sweeping = bool(self._waiting) and not self.is_lost
        if self._is_sweeping:
            self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    # MARK: The connection

    async def open(self, path: str) -> None:
        try:
            connecting = self.loop.create_unix_connection(lambda: self, path)
            transport, _ = await asyncio.wait_for(connecting, settings.connect_timeout)
        except (OSError, asyncio.TimeoutError) as error:
            self._end(str(error) or "no connection in time", is_cheap=isinstance(error, NOBODY_LISTENS))
            return
        self._transport = transport
        if self.is_lost:
            # Closed meanwhile.
            transport.close()
        self._flush()

    def close(self) -> None:
        self._end("the client has closed the connection", is_failure=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "the sidecar has closed the connection")

    def _end(self, why: str, *, is_failure: bool = True, is_cheap: bool = False) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        # Where nobody waits it may have been restarted, and the next caller finds out.
        if is_failure and self._waiting:
            self.breaker.fail(why, is_cheap=is_cheap)
        if self._ping is not None:
            self._ping.cancel()
            # Nothing is left to be looked at by a sweep that is still to come.
            self._ping = None
        if self._transport is not None:
            self._transport.close()
        for _, future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(UnavailableError(why))
        self._waiting.clear()
        self._unsent.clear()

    # MARK: Answers

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        first, *more = bytes(memoryview(self._buffer)[:nbytes]).split(b"\n")
        # A large answer comes in many parts, joined once.
        self._unread.append(first)
        self._heard_at = self.loop.time()
        if not more:
            return
        whole = b"".join(self._unread)
        self._unread = [more.pop()]
        for line in (whole, *more):
            number, answer = split_id(line)
            if number not in self._waiting:
                continue
            asked, future, _ = self._waiting.pop(number)
            if not future.done():
                future.set_result(answer)
                continue
            for made in self._undo(asked, answer):
                self.send(made)
        if self.breaker.is_open:
            self.breaker.succeed()
