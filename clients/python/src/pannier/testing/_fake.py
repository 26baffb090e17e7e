"""A stand-in for the sidecar within the process. It puts its own links below the clients, so that all above is the real
thing.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pannier import Cache, cache
from pannier._durations import seconds
from pannier._errors import UnavailableError
from pannier._log import warn
from pannier._settings import configure
from pannier._unsent import Unsent

from ._answers import statistics
from ._entries import Caller, Namespace
from ._links import FakeAsyncLink, FakeLink
from ._restored import restored_settings
from ._sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import TracebackType

    from pannier import AsyncCache
    from pannier._durations import Duration

    from ._session import Session

# For so long, in real seconds, somebody waits whose wait nothing ends: a test that hangs so has forgotten something.
_PATIENCE = 5.0
# Whoever doesn't go by the fake finds none, rather than a real sidecar.
_NO_SOCKET = "/dev/null/FakeCache"


class FakeCache:
    """`with FakeCache() as fake:` all that goes by the process's `cache` goes by it, in every thread and event loop,
    and so do the clients in `clients`. Afterwards all is as it was.

    Its time stands still until `advance` moves it. `defaults`, `namespaces`, `unknown_namespaces`, `limits` and
    `memory` are the sidecar's configuration, `pannier.yaml` as a mapping; but jitter is 0 where they don't say
    otherwise, so that lifetimes are exact. `patience`: for so long, in real seconds, somebody waits for another's load
    where neither its end nor `advance` ends the wait.
    """

    def __init__(
        self,
        *,
        defaults: Mapping[str, Any] | None = None,
        namespaces: Mapping[str, Mapping[str, Any]] | None = None,
        unknown_namespaces: str = "create",
        limits: Mapping[str, Any] | None = None,
        memory: int | str = "256MiB",
        clients: Sequence[AsyncCache | Cache] = (),
        patience: float = _PATIENCE,
    ) -> None:
        self._sidecar = Sidecar(
            {
                "defaults": {"jitter": 0, **(defaults or {})},
                "namespaces": namespaces or {},
                "unknown_namespaces": unknown_namespaces,
                "limits": limits or {},
                "memory": memory,
            }
        )
        self._clients = (cache, *clients)
        self._lock = threading.Lock()
        # Changes made while it was down.
        self._unsent = Unsent()
        # Connections whose thread or loop is gone; the collector tells of it at any time.
        self._gone: deque[Session] = deque()
        # Of each `with` that it is in, what is to be undone.
        self._leaving: list[ExitStack] = []
        self.patience = patience
        # Whether it can't be reached.
        self.is_down = False
        # Each request seen, as the client wrote it, without its id.
        self.requests: list[dict[str, Any]] = []

    # MARK: In place of the sidecar

    def __enter__(self) -> FakeCache:
        with ExitStack() as leaving:
            leaving.enter_context(restored_settings())
            # What is to be tested is a cache, whatever the environment of the tests says.
            configure(enabled=True, socket=_NO_SOCKET)
            for client in self._clients:
                blocking = client if isinstance(client, Cache) else client.sync
                leaving.callback(setattr, blocking, "link", blocking.link)
                blocking.link = FakeLink(self)
                if not isinstance(client, Cache):
                    leaving.callback(setattr, client, "link", client.link)
                    client.link = FakeAsyncLink(self)
            # All of it is in place: it is undone when the block ends, and not here.
            self._leaving.append(leaving.pop_all())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.pop().close()

    # MARK: What a test says and asks

    def advance(self, duration: Duration) -> None:
        """Moves the clock on: what expires by then has expired, and what waits no longer is answered."""
        milliseconds = round(seconds(duration) * 1000)
        with self.deciding() as sidecar:
            if not sidecar.advance(milliseconds):
                raise ValueError(f"{duration!r} would move the clock more than 14 years beyond its start")

    @property
    def now(self) -> float:
        """Seconds since it was made."""
        return self._sidecar.now / 1000

    def stats(self, ns: str) -> dict[str, Any]:
        """A namespace's statistics, as PROTOCOL.md names them; all are 0 where nobody has used it."""
        with self.deciding() as sidecar:
            found = sidecar.world.namespaces.get(ns) or Namespace(ns, sidecar.world.policy(ns), sidecar.log)
            shown: dict[str, Any] = json.loads(statistics(found))
            return shown

    @contextmanager
    def record(self) -> Generator[list[dict[str, Any]]]:
        """The requests that are seen in it."""
        before = len(self.requests)
        seen: list[dict[str, Any]] = []
        try:
            yield seen
        finally:
            seen.extend(self.requests[before:])

    @contextmanager
    def down(self) -> Generator[None]:
        """In it no sidecar can be reached. What was kept is there again afterwards, but for what was changed in it."""
        was_down, self.is_down = self.is_down, True
        try:
            yield
        finally:
            self.is_down = was_down

    # MARK: For its links

    @contextmanager
    def deciding(self) -> Generator[Sidecar]:
        """Lends the sidecar to one at a time."""
        with self._lock:
            try:
                yield self._sidecar
            finally:
                self._close_gone()
        # One that was told of meanwhile.
        self._try_to_close()

    def ask(self, session: Session, line: bytes) -> None:
        if self.is_down:
            raise UnavailableError("the fake is down")
        with self.deciding() as sidecar:
            if self._unsent.lines:
                self._tell_unsent(sidecar)
            self._note(line)
            sidecar.answer(session, line)

    def open(self, hear: Callable[[bytes], None]) -> Session:
        with self.deciding() as sidecar:
            return sidecar.open(_me(), hear)

    def tell_later(self, line: bytes) -> None:
        """As soon as it isn't down."""
        self._unsent.add(line)

    def patience_for(self, wait: float) -> float:
        """In real seconds: nobody waits longer than it would for a sidecar."""
        return min(wait, self.patience) if wait else self.patience

    def hasten(self, session: Session, identity: str | None, line: bytes) -> None:
        """Nothing has ended a wait, so that it is over as if its time were up."""
        with self.deciding() as sidecar:
            was_waiting = sidecar.hasten(session, identity)
        if was_waiting:
            warn(f"a wait that nothing ends is given up: is the fake's clock to be moved? {line.decode()[:200]}")

    def forget(self, session: Session) -> None:
        """A connection is over. Called by the collector, too, which may come while the lock is held here."""
        self._gone.append(session)
        self._try_to_close()

    def _try_to_close(self) -> None:
        while self._gone and self._lock.acquire(blocking=False):
            try:
                self._close_gone()
            finally:
                self._lock.release()

    def _close_gone(self) -> None:
        while self._gone:
            self._sidecar.close(self._gone.popleft())

    def _tell_unsent(self, sidecar: Sidecar) -> None:
        """Nobody waits for what is said to it."""
        session = sidecar.open(_me(), lambda _: None)
        for line in self._unsent.take():
            self._note(line)
            sidecar.answer(session, line)
        sidecar.close(session)

    def _note(self, line: bytes) -> None:
        # The client's own, so that it is an object.
        request: dict[str, Any] = json.loads(line)
        request.pop("id", None)
        self.requests.append(request)


def _me() -> Caller:
    return Caller(os.getpid(), os.getuid())
