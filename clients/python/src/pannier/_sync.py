"""One blocking connection a thread: a request goes out, its answer is read. It knows no ops.

The kernel keeps the time, since a Python timeout asks it twice for each answer. Nothing is shared between threads but
the breaker, and a child of a fork begins anew.
"""

from __future__ import annotations

import os
import socket as sockets
import struct
import threading

from ._breaker import Breaker
from ._errors import UnavailableError
from ._settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# One read takes nearly every answer whole; asyncio's 256 KiB cost a mapping of memory each time.
_READ_BYTES: Final = 64 << 10


class _Closer:
    """Closes a thread's connection with the thread."""

    __slots__ = ("_end",)

    def __init__(self, end: sockets.socket) -> None:
        self._end = end

    def __del__(self) -> None:
        self._end.close()


class SyncLink:
    """All connections of a process to one socket."""

    def __init__(self, socket: str | None) -> None:
        self._argument = socket
        self._local = threading.local()
        self._breaker: Breaker | None = None
        self._key: tuple[int, int] = (-1, -1)

    def exchange(self, line: bytes, wait: float = 0.0) -> bytes:
        """The answer to a request, without its end. `wait`: for so long the sidecar was asked to wait."""
        breaker = self._prepared()
        if not breaker.allows():
            raise UnavailableError("the sidecar did not answer a moment ago")
        try:
            answer = self._exchange(line + b"\n", settings.request_timeout + wait)
        except OSError as error:
            self._drop()
            breaker.fail(str(error) or type(error).__name__)
            raise UnavailableError(str(error)) from error
        breaker.succeed()
        return answer

    def close(self) -> None:
        """The calling thread's connection."""
        self._drop()

    def _prepared(self) -> Breaker:
        """Of this process, and of what it is configured as now."""
        key = (os.getpid(), settings.version)
        if self._key != key or self._breaker is None:
            self._key = key
            # In a fork's child it is the child's own: the parent's goes on. Other threads' go with them.
            self._drop()
            self._local = threading.local()
            self._breaker = Breaker(settings.path(self._argument), settings.breaker_pause)
        return self._breaker

    def _exchange(self, line: bytes, seconds: float) -> bytes:
        end: sockets.socket | None = getattr(self._local, "end", None)
        if end is not None:
            try:
                return self._ask(end, line, seconds)
            except ConnectionError:
                # It was restarted since the last call; what it had not answered it has not kept.
                self._drop()
        return self._ask(self._connect(), line, seconds)

    def _ask(self, end: sockets.socket, line: bytes, seconds: float) -> bytes:
        if seconds != self._local.seconds:
            self._set_timeout(end, seconds)
        end.sendall(line)
        answer = end.recv(_READ_BYTES)
        if answer.endswith(b"\n"):
            return answer[:-1]
        parts = [answer]
        while not parts[-1].endswith(b"\n"):
            if not parts[-1]:
                raise ConnectionResetError("the sidecar has closed the connection")
            parts.append(end.recv(_READ_BYTES))
        return b"".join(parts)[:-1]

    def _connect(self) -> sockets.socket:
        end = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        try:
            end.settimeout(settings.connect_timeout)
            end.connect(settings.path(self._argument))
            end.settimeout(None)
        except OSError:
            end.close()
            raise
        self._local.end = end
        self._local.closer = _Closer(end)
        self._local.seconds = 0.0
        return end

    def _set_timeout(self, end: sockets.socket, seconds: float) -> None:
        whole = int(seconds)
        span = struct.pack("@ll", whole, int((seconds - whole) * 1e6))
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVTIMEO, span)
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDTIMEO, span)
        self._local.seconds = seconds

    def _drop(self) -> None:
        end: sockets.socket | None = getattr(self._local, "end", None)
        if end is not None:
            self._local.end = None
            end.close()
