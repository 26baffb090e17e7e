"""A Redis of a test's own: on a Unix socket in a folder of its own, keeping nothing, ended by its own process id."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import redis

import programs

if TYPE_CHECKING:
    from types import TracebackType

BINARY = os.environ.get("PANNIER_REDIS_SERVER", "redis-server")

START_SECONDS = 10.0

Argument = bytes | str | int


class Connection(Protocol):
    """What is used of the library's connection, which has no complete types of its own."""

    def send_command(self, *command: Argument) -> None: ...
    def read_response(self) -> object: ...


class Pool(Protocol):
    def get_connection(self) -> Connection: ...
    def release(self, connection: Connection) -> None: ...


class RedisServer:
    """`redis-server` as a context manager, and one connection to it. Commands are sent as they are given."""

    def __init__(self, *arguments: str, password: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pannier-redis-")
        self.socket = Path(self._folder.name) / "redis.sock"
        self._arguments = [*arguments, *(["--requirepass", password] if password else [])]
        self.start()
        self._client = redis.Redis(unix_socket_path=str(self.socket), protocol=2, password=password)

    def start(self, *arguments: str) -> None:
        """Starts it, with these besides its own, and waits for nothing."""
        own: list[str | Path] = ["--port", "0", "--unixsocket", self.socket, "--dir", "."]
        own += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [BINARY, *own, *self._arguments, *arguments],
            cwd=self._folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """Gone at once, with all it had."""
        self._process.kill()
        self._process.wait()
        self._client.close()

    def start_again(self) -> None:
        self.start()
        self.wait_until_it_serves()

    def __enter__(self) -> RedisServer:
        try:
            self.wait_until_it_serves()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def call(self, *command: Argument) -> object:
        """The reply as bytes, integers, lists and None; an error reply is raised as `redis.ResponseError`."""
        pool = cast("Pool", self._client.connection_pool)
        connection = pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        finally:
            pool.release(connection)

    def text(self, *command: Argument) -> str | None:
        reply = self.call(*command)
        return reply.decode() if isinstance(reply, bytes) else None

    def number(self, *command: Argument) -> int:
        reply = self.call(*command)
        assert isinstance(reply, int)
        return reply

    def pairs(self, *command: Argument) -> dict[bytes, bytes]:
        """A flat list of names and values, as HGETALL and ZRANGE WITHSCORES answer."""
        flat = cast("list[bytes]", self.call(*command))
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def connections(self, name: str) -> set[str]:
        """The ids of those that are so named."""
        lines = (self.text("CLIENT", "LIST") or "").splitlines()
        return {line.split()[0].removeprefix("id=") for line in lines if f" name={name} " in line}

    def wait_until_it_serves(self) -> None:
        """It answers, whatever kept it from that: it may be loading still."""
        programs.wait_until(self._answers, self._process, "redis-server", START_SECONDS)

    def _answers(self) -> bool:
        try:
            self.call("PING")
        except redis.ConnectionError:
            return False
        return True

    def _end(self) -> None:
        self._client.close()
        if self._process.poll() is None:
            # One that was stopped takes no other signal.
            self._process.send_signal(signal.SIGCONT)
        programs.end(self._process)
        self._folder.cleanup()
