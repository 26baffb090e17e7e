"""What stands below the clients in place of connections. A caller waits for its answer here; what it is, the sidecar
has decided.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from pannier._calls import leases_back
from pannier._errors import UnavailableError
from pannier._wire import split_id

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable

    from ._fake import FakeCache

_CLOSED: Final = "the fake has closed the connection"


class FakeLink:
    """One connection a thread, which ends with it."""

    def __init__(self, fake: FakeCache) -> None:
        self._fake = fake
        self._local = threading.local()

    def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        end: _End | None = getattr(self._local, "end", None)
        if end is None or end.session.is_closed:
            end = self._local.end = _End(self._fake)
        return end.ask(line, wait)

    def tell_later(self, line: bytes) -> None:
        self._fake.tell_later(line)

    def close(self) -> None:
        """The calling thread's connection."""
        end: _End | None = getattr(self._local, "end", None)
        if end is not None:
            self._local.end = None
            end.close()


class _End:
    def __init__(self, fake: FakeCache) -> None:
        self._fake = fake
        # The collector may come while this thread waits here, and end a connection that kept it waiting: no other
        # queue can be put into from within its own `get`.
        self._heard: SimpleQueue[bytes] = SimpleQueue()
        self.session = fake.open(self._heard.put)
        # A thread's own goes with it.
        self.close = weakref.finalize(self, fake.forget, self.session)
        self.close.atexit = False

    def ask(self, line: bytes, wait: float) -> bytes:
        self._fake.ask(self.session, line)
        with suppress(Empty):
            return self._heard.get(timeout=self._fake.patience_for(wait))
        self._fake.hasten(self.session, None, line)
        with suppress(Empty):
            return self._heard.get_nowait()
        raise UnavailableError(_CLOSED)


class FakeAsyncLink:
    """One connection an event loop, which ends with it."""

    def __init__(self, fake: FakeCache) -> None:
        self._fake = fake
        self._ends: WeakKeyDictionary[AbstractEventLoop, _AsyncEnd] = WeakKeyDictionary()

    async def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        loop = asyncio.get_running_loop()
        end = self._ends.get(loop)
        if end is None or end.session.is_closed:
            end = self._ends[loop] = _AsyncEnd(self._fake)
        return await end.ask(line, wait, loop)

    def tell(self, line: bytes) -> None:
        end = self._ends.get(asyncio.get_running_loop())
        if end is not None:
            end.tell(line)

    def tell_later(self, line: bytes) -> None:
        self._fake.tell_later(line)

    async def aclose(self) -> None:
        """The running loop's connection."""
        end = self._ends.pop(asyncio.get_running_loop(), None)
        if end is not None:
            end.close()


class _AsyncEnd:
    def __init__(self, fake: FakeCache) -> None:
        self._fake = fake
        # By id: the request, and who waits for its answer.
        waiting: dict[int, tuple[bytes, Future[bytes]]] = {}
        # The fake must keep neither this nor its loop, whose end it is to notice.
        mine = weakref.WeakMethod(self._hand_on)

        def hear(line: bytes) -> None:
            number, answer = split_id(line)
            if number < 0:
                # What has no id is the last that is said, to all who are not answered yet.
                while waiting:
                    _, (_, unanswered) = waiting.popitem()
                    _in_its_loop(unanswered, partial(_fail, unanswered))
            if number not in waiting:
                return
            asked, future = waiting.pop(number)

            def hand_on() -> None:
                end = mine()
                if end is not None:
                    end(asked, future, answer)
                elif not future.done():
                    future.set_result(answer)

            _in_its_loop(future, hand_on)

        self._waiting = waiting
        self._last_id = 0
        self.session = fake.open(hear)
        # A loop's own goes with it.
        self.close = weakref.finalize(self, fake.forget, self.session)
        self.close.atexit = False

    async def ask(self, line: bytes, wait: float, loop: AbstractEventLoop) -> bytes:
        future: Future[bytes] = loop.create_future()
        number = self._last_id + 1
        self._waiting[number] = line, future
        timer = loop.call_later(self._fake.patience_for(wait), self._fake.hasten, self.session, str(number), line)
        try:
            self._send(line)
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._undo(line, future.result())
            raise
        except UnavailableError:
            # Where it was down when it was to be sent.
            self._waiting.pop(number, None)
            raise
        finally:
            timer.cancel()

    def tell(self, line: bytes) -> None:
        """Where nobody can be told, nobody is."""
        with suppress(UnavailableError):
            self._send(line)

    def _send(self, line: bytes) -> None:
        self._last_id += 1
        self._fake.ask(self.session, b'{"id":%d,' % self._last_id + line[1:])

    def _hand_on(self, line: bytes, future: Future[bytes], answer: bytes) -> None:
        if future.done():
            self._undo(line, answer)
        else:
            future.set_result(answer)

    def _undo(self, line: bytes, answer: bytes) -> None:
        """Nobody waits for it any more."""
        for made in leases_back(line, answer):
            self.tell(made)


def _in_its_loop(future: Future[bytes], do: Callable[[], None]) -> None:
    """In the loop's own thread, and not while the fake is deciding. One that is closed has nobody who waits."""
    with suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(do)


def _fail(future: Future[bytes]) -> None:
    if not future.done():
        future.set_exception(UnavailableError(_CLOSED))
