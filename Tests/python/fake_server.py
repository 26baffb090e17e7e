"""A server of canned answers on a Unix socket: it keeps every request line it got, and knows nothing of caching.

Each script entry is what one request is answered with, as the exact bytes of the lines; an entry may hold several lines
(an answer and events after it). A request beyond the script is not answered.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

# A hanging client is a failed test, not a hanging one.
CLIENT_SECONDS = 20.0


class FakeServer:
    """Serves one connection, in a thread of its own; a context manager."""

    def __init__(self, path: Path, script: Sequence[bytes], *, greeting: bytes = b"", closes: bool = False) -> None:
        self.path = path
        self.requests: list[bytes] = []
        self._script = list(script)
        # Said, with the connection then closed, before anything is read: how a full or forbidding server answers.
        self._greeting = greeting
        # Whether the connection is closed after the script; else it stays until the client ends.
        self._closes = closes
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(CLIENT_SECONDS)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A client that says nothing, in case that none came and the thread still waits for one.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nobody:
            nobody.connect(str(self.path))
        self._thread.join(CLIENT_SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        peer, _ = self._listener.accept()
        with peer:
            peer.settimeout(CLIENT_SECONDS)
            try:
                self._converse(peer)
            except ConnectionError:
                return

    def _converse(self, peer: socket.socket) -> None:
        if self._greeting:
            peer.sendall(self._greeting)
            return
        with peer.makefile("rb") as lines:
            for line in lines:
                self.requests.append(line)
                if self._script:
                    peer.sendall(self._script.pop(0))
                if self._closes and not self._script:
                    return
