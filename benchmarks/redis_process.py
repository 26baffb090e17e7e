"""A redis-server of a measurement's own, and connections to it that send what they are given. It knows no sidecar."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

BINARY = os.environ.get("PANNIER_REDIS_SERVER", "redis-server")
# Far more than starting takes, or loading what is loaded slowly here.
SERVE_SECONDS = 30.0
STOP_SECONDS = 10.0
TRY_SECONDS = 0.002

Reply = bytes | int | None | list["Reply"]


class RedisError(Exception):
    """What Redis answered instead of a reply."""


class RedisLink:
    """One connection; a context manager."""

    def __init__(self, path: Path, password: str | None = None) -> None:
        self._end = socket.socket(socket.AF_UNIX)
        try:
            self._end.settimeout(SERVE_SECONDS)
            self._end.connect(str(path))
        except OSError:
            self._end.close()
            raise
        self._replies = self._end.makefile("rb")
        if password:
            self.call("AUTH", password)

    def __enter__(self) -> RedisLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._replies.close()
        self._end.close()

    def call(self, *words: str | int) -> Reply:
        self.send(*words)
        return self.reply()

    def send(self, *words: str | int) -> None:
        """Asks, and leaves the reply to be awaited by `reply`."""
        parts = [str(word).encode() for word in words]
        self._end.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))

    def reply(self) -> Reply:
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("Redis has closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(text.decode())
        if kind == b"$":
            return None if text == b"-1" else self._replies.read(int(text) + 2)[:-2]
        if kind == b"*":
            return None if text == b"-1" else [self.reply() for _ in range(int(text))]
        return int(text) if kind == b":" else text


class RedisProcess:
    """`redis-server` on a Unix socket, which keeps nothing but by SAVE; a context manager."""

    def __init__(self, *arguments: str, password: str | None = None) -> None:
        self._open = ExitStack()
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="pannier-redis-")))
        self.path = self.folder / "redis.sock"
        self._password = password
        self._arguments = [*arguments, *(["--requirepass", password] if password else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisProcess:
        try:
            self.start()
            self.wait_until_it_serves()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self, *arguments: str) -> None:
        own = ["--port", "0", "--unixsocket", str(self.path), "--dir", str(self.folder)]
        own += ["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"]
        self._process = subprocess.Popen(
            [BINARY, *own, *self._arguments, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def connect(self) -> RedisLink:
        return RedisLink(self.path, self._password)

    def wait_until_it_serves(self) -> None:
        """It takes commands and answers them, whatever kept it from that."""
        deadline = time.monotonic() + SERVE_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError, RedisError), self.connect() as link:
                link.call("GET", "nothing")
                return
            time.sleep(TRY_SECONDS)
        raise RuntimeError(f"redis-server did not serve within {SERVE_SECONDS:g} s")

    def signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Gone at once, with all that was not saved."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _end(self) -> None:
        if self._process and self._process.poll() is None:
            # One that was stopped takes no other signal.
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._open.close()
