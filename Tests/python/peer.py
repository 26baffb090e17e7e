"""One connection to a server, spoken a line at a time. It knows nothing of what the lines say.

Nothing here waits without a bound, and nothing waits for time to pass: every wait is for a line or for the end.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# Long enough for a busy machine, short enough that a hanging server is found soon.
ANSWER_SECONDS = 10.0


class NoAnswerError(Exception):
    """The server said nothing for `ANSWER_SECONDS`."""


class ClosedError(Exception):
    """The server has closed the connection."""


class Peer:
    """A client's end of a connection."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.settimeout(ANSWER_SECONDS)
        self._unread = b""

    @classmethod
    def connect(cls, path: Path) -> Peer:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            end.settimeout(ANSWER_SECONDS)
            end.connect(str(path))
        except OSError:
            end.close()
            raise
        return cls(end)

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str) -> None:
        try:
            self._end.sendall(line.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ClosedError from error

    def send_bytes(self, sent: bytes) -> None:
        """As they are: what is no line, or no UTF-8, or many lines at once."""
        try:
            self._end.sendall(sent)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ClosedError from error

    def send_what_fits(self, sent: bytes) -> int:
        """How much of it the server took without being waited for, or before it closed."""
        self._end.setblocking(False)
        taken = 0
        try:
            while taken < len(sent):
                taken += self._end.send(sent[taken:])
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self._end.settimeout(ANSWER_SECONDS)
        return taken

    def finish_sending(self) -> None:
        """Closes this side alone: what comes back can still be read."""
        self._end.shutdown(socket.SHUT_WR)

    def receive(self) -> str:
        """The next line, without its end."""
        while (end := self._unread.find(b"\n")) < 0:
            self._read()
        line, self._unread = self._unread[:end], self._unread[end + 1 :]
        return line.decode()

    def receive_lines(self, count: int) -> list[str]:
        return [self.receive() for _ in range(count)]

    def receive_all(self) -> list[str]:
        """Every line until the server closes; the last may lack its end."""
        try:
            while True:
                self._read()
        except ClosedError:
            lines = self._unread.decode().split("\n")
            self._unread = b""
            return lines if lines[-1] else lines[:-1]

    def wait_until_closed(self, seconds: float = ANSWER_SECONDS) -> None:
        """Reads nothing: what it was sent before may still be read."""
        poll = select.poll()
        # Not even readability is asked for: the end of both directions is told in any case.
        poll.register(self._end, 0)
        if not poll.poll(seconds * 1000):
            raise NoAnswerError(f"not closed within {seconds:g} s")

    def ask(self, line: str) -> str:
        self.send(line)
        return self.receive()

    def available(self) -> str | None:
        """What can be read at this moment without waiting: a line, or the beginning of one."""
        while b"\n" not in self._unread and select.select([self._end], [], [], 0)[0]:
            try:
                self._read()
            except ClosedError:
                break
        if b"\n" in self._unread:
            return self.receive()
        return self._unread.decode(errors="replace") or None

    def close(self) -> None:
        self._end.close()

    def fileno(self) -> int:
        return self._end.fileno()

    def _read(self) -> None:
        try:
            read = self._end.recv(1 << 16)
        except TimeoutError as error:
            raise NoAnswerError(f"no answer in {ANSWER_SECONDS:g} s") from error
        except ConnectionResetError as error:
            raise ClosedError from error
        if not read:
            raise ClosedError
        self._unread += read
