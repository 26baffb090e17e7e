"""One blocking connection a thread: a request goes out, its answer is read. It knows no ops.

The kernel keeps the time, since a Python timeout asks it twice for each answer. Nothing is shared between threads but
the breaker, and a child of a fork begins anew.
"""

from __future__ import annotations

import socket as sockets
import struct
import threading
import time

from ._breaker import Breaker
from ._errors import UnavailableError
from ._settings import settings
from ._unsent import TELL_SECONDS, Unsent, unsent_for
from ._wire import PING, split_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# One read takes nearly every answer whole; asyncio's 256 KiB cost a mapping of memory each time.
_READ_BYTES: Final = 64 << 10
# What the kernel says where there is no sidecar: it costs some microseconds to hear it again.
NOBODY_LISTENS: Final = (FileNotFoundError, ConnectionRefusedError)
# Ids of a request that waits, and of the pings behind it.
_ASKED: Final = 0
_PINGED: Final = 1


def _with_id(number: int, line: bytes) -> bytes:
    return b'{"id":%d,' % number + line[1:] + b"\n"


_PING: Final = _with_id(_PINGED, PING)


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
        self._unsent = Unsent()
        self._version = -1

    def exchange(self, line: bytes, wait: float = 0.0, *, is_change: bool = False) -> bytes:
        """The answer to a request, without its end. `wait`: for so long the sidecar was asked to wait."""
        breaker = self._breaker
        if breaker is None or self._version != settings.version:
            breaker = self._renewed()
        if breaker.is_open and not breaker.allows(is_change=is_change):
            raise UnavailableError("the sidecar did not answer a moment ago")
        try:
            if self._unsent.lines:
                self._tell_unsent()
            answer = self._exchange(line, wait)
        except OSError as error:
            self._drop()
            breaker.fail(str(error) or type(error).__name__, is_cheap=isinstance(error, NOBODY_LISTENS))
            raise UnavailableError(str(error)) from error
        if breaker.is_open:
            breaker.succeed()
        return answer

    def tell_later(self, line: bytes) -> None:
        unsent_for(settings.path(self._argument)).add(line)

    def close(self) -> None:
        """The calling thread's connection."""
        self._drop()

    def _renewed(self) -> Breaker:
        """Of this process, and of what it is configured as now."""
        self._version = settings.version
        # In a fork's child it is the child's own: the parent's goes on. Other threads' go with them.
        self._drop()
        self._local = threading.local()
        path = settings.path(self._argument)
        self._unsent = unsent_for(path)
        self._breaker = Breaker(path, settings.breaker_pause)
        return self._breaker

    def _tell_unsent(self) -> None:
        lines = self._unsent.take()
        try:
            while lines:
                self._exchange(lines[-1], TELL_SECONDS)
                lines.pop()
        finally:
            for line in lines:
                self._unsent.add(line)

    def _exchange(self, line: bytes, wait: float) -> bytes:
        end: sockets.socket | None = getattr(self._local, "end", None)
        if end is not None:
            try:
                return self._wait_for(end, line, wait) if wait else self._ask(end, line)
            except ConnectionError:
                # It was restarted since the last call; what it had not answered it has not kept.
                self._drop()
        end = self._connect()
        return self._wait_for(end, line, wait) if wait else self._ask(end, line)

    def _ask(self, end: sockets.socket, line: bytes) -> bytes:
        end.sendall(line + b"\n")
        answer = end.recv(_READ_BYTES)
        if answer.endswith(b"\n"):
            return answer[:-1]
        parts = [answer]
        while not parts[-1].endswith(b"\n"):
            if not parts[-1]:
                raise ConnectionResetError("the sidecar has closed the connection")
            parts.append(end.recv(_READ_BYTES))
        return b"".join(parts)[:-1]

    def _wait_for(self, end: sockets.socket, line: bytes, wait: float) -> bytes:
        """Each time that nothing has come it asks for a sign of life: one that hangs isn't waited for."""
        deadline = time.monotonic() + wait + settings.request_timeout
        end.sendall(_with_id(_ASKED, line))
        answer: bytes | None = None
        pings = 0
        unread: list[bytes] = []
        # No ping's answer may be left for the next request.
        while answer is None or pings:
            try:
                part = end.recv(_READ_BYTES)
            except BlockingIOError:
                if pings or time.monotonic() > deadline:
                    raise
                pings += 1
                end.sendall(_PING)
                continue
            if not part:
                raise ConnectionResetError("the sidecar has closed the connection")
            first, *more = part.split(b"\n")
            unread.append(first)
            if not more:
                continue
            for whole in (b"".join(unread), *more[:-1]):
                number, rest = split_id(whole)
                if number == _PINGED:
                    pings -= 1
                else:
                    answer = rest
            unread = [more[-1]]
        return answer

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
        whole, part = divmod(settings.request_timeout, 1)
        span = struct.pack("@ll", int(whole), int(part * 1e6))
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVTIMEO, span)
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDTIMEO, span)
        return end

    def _drop(self) -> None:
        end: sockets.socket | None = getattr(self._local, "end", None)
        if end is not None:
            self._local.end = None
            end.close()
