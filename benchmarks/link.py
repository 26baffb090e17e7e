"""One connection to the daemon, made for measuring: batches of lines out, as many answers in, and nothing in between.

`exchange` is the fast way, for bytes made beforehand; `ask` the convenient one.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# Beyond any delay that is measured here: a daemon that hangs is found by it.
ANSWER_SECONDS = 120.0
READ_BYTES = 1 << 18

Answer = dict[str, Any]


class Link:
    """A client's end of a connection; a context manager."""

    def __init__(self, path: Path) -> None:
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._end.settimeout(ANSWER_SECONDS)
            self._end.connect(str(path))
        except OSError:
            self._end.close()
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._end.close()

    def fileno(self) -> int:
        return self._end.fileno()

    def peer_pid(self) -> int:
        """The process that listens, as the kernel knows it."""
        pid: int
        pid, _, _ = struct.unpack("3i", self._end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return pid

    def exchange(self, lines: bytes, count: int) -> bytes:
        """Sends `lines` in one write and reads the `count` answers to them."""
        self.send(lines)
        return self.receive(count)

    def say_end(self) -> None:
        """No more requests will come; answers may."""
        self._end.shutdown(socket.SHUT_WR)

    def rest(self) -> bytes:
        """All that comes until the daemon closes the connection."""
        read = b""
        while more := self._end.recv(READ_BYTES):
            read += more
        return read

    def send(self, lines: bytes) -> None:
        self._end.sendall(lines)

    def receive(self, count: int) -> bytes:
        """`count` answers, all of those that are awaited."""
        answers = self._read()
        seen = answers.count(b"\n")
        while seen < count:
            more = self._read()
            seen += more.count(b"\n")
            answers += more
        return answers

    def ask(self, request: Answer) -> Answer:
        """The answer to one request, which must be an ok one."""
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        answer: Answer = json.loads(self.exchange(line, 1))
        if answer.get("ok") is not True:
            raise RuntimeError(f"{line[:200]!r} was answered {answer}")
        return answer

    def _read(self) -> bytes:
        read = self._end.recv(READ_BYTES)
        if not read:
            raise ConnectionResetError("the daemon has closed the connection")
        return read
