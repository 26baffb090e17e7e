"""The client's own links as a transcript's connections: each line goes out as a request, and its answer comes in.

A link is asked and answers; so a line behind one that isn't answered yet waits here, and answers are handed on in the
order of the requests.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING

from pannier import UnavailableError
from pannier._async import AsyncLink
from pannier._calls import leases_back
from pannier._sync import SyncLink
from peer import ANSWER_SECONDS, ClosedError, NoAnswerError, Peer
from talk import parsed, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from daemon import Daemon

# No transcript waits longer by its clock.
WAIT_SECONDS = 60.0


class LinkPeer(Peer):
    """`count`: how many requests the sidecar has seen. What was sent has been read when `send` returns, unless it waits
    here.
    """

    def __init__(
        self, ask: Callable[[bytes], Future[bytes]], end: Callable[[], None], count: Callable[[], int]
    ) -> None:
        self._ask = ask
        self._end_link = end
        self._count = count
        self._answers: deque[Future[bytes]] = deque()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str) -> None:
        is_behind = any(not answer.done() for answer in self._answers)
        before = self._count()
        answer = self._ask(line.encode())
        self._answers.append(answer)
        while not is_behind and not answer.done() and self._count() == before:
            pass

    def receive(self) -> str:
        if not self._answers:
            raise NoAnswerError("nothing was asked")
        try:
            return self._answers.popleft().result(ANSWER_SECONDS).decode()
        except FutureTimeoutError as error:
            raise NoAnswerError from error
        except UnavailableError as error:
            raise ClosedError from error

    def available(self) -> str | None:
        return self.receive() if self._answers and self._answers[0].done() else None

    def close(self) -> None:
        self._end_link()


class Links:
    """Opens them, to one daemon. What still waits ends with the daemon, and so before this."""

    def __init__(self, daemon: Daemon) -> None:
        self._socket = str(daemon.socket)
        self._control = daemon.connect()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._workers: list[ThreadPoolExecutor] = []

    def close(self) -> None:
        self._control.close()
        for worker in self._workers:
            worker.shutdown()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def sync(self) -> LinkPeer:
        """In a thread of its own, which has a connection of its own."""
        link, worker = SyncLink(self._socket), ThreadPoolExecutor(1)
        self._workers.append(worker)

        def ask(line: bytes) -> Future[bytes]:
            return worker.submit(link.exchange, line, _wait(line))

        def end() -> None:
            # Behind what it still waits for.
            worker.submit(link.close)

        return LinkPeer(ask, end, self._count)

    def awaited(self) -> LinkPeer:
        link = AsyncLink(self._socket, leases_back)

        def ask(line: bytes) -> Future[bytes]:
            return asyncio.run_coroutine_threadsafe(link.exchange(line, _wait(line)), self._loop)

        def end() -> None:
            asyncio.run_coroutine_threadsafe(link.aclose(), self._loop).result(ANSWER_SECONDS)

        return LinkPeer(ask, end, self._count)

    def _count(self) -> int:
        stats = parsed(self._control.ask(request("stats")))
        requests: dict[str, int] = stats["requests"]
        errors: dict[str, int] = stats["errors"]
        return sum(requests.values()) - requests["stats"] + sum(errors.values())


def _wait(line: bytes) -> float:
    return WAIT_SECONDS if b'"wait":' in line else 0.0
