"""A connection to the fake's own sidecar as the repository's tests speak on one."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from pannier.testing._entries import Caller
from peer import ClosedError, NoAnswerError, Peer

if TYPE_CHECKING:
    from types import TracebackType

    from pannier.testing._sidecar import Sidecar


class FakePeer(Peer):
    """What there is to be received is there at once."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._heard: deque[bytes] = deque()
        self._session = sidecar.open(Caller(os.getpid(), os.getuid()), self._heard.append)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str) -> None:
        if self._session.is_closed:
            raise ClosedError
        self._sidecar.answer(self._session, line.encode())

    def receive(self) -> str:
        if not self._heard:
            raise ClosedError if self._session.is_closed else NoAnswerError
        return self._heard.popleft().decode()

    def available(self) -> str | None:
        return self._heard.popleft().decode() if self._heard else None

    def close(self) -> None:
        self._sidecar.close(self._session)
