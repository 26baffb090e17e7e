"""What the tests share: a daemon for each test that asks for one, and a Redis, emptied before each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from daemon import TEST_CLOCK, Daemon
from redis_scripts import Host
from redis_server import RedisServer
from sidecars import Host as Sidecar
from sidecars import StartHost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class StartDaemon(Protocol):
    """Starts a daemon with the configuration given, and waits until it serves."""

    def __call__(
        self,
        configuration: str = "",
        flags: Sequence[str] = TEST_CLOCK,
        socket: Path | None = None,
        open_files: int | None = None,
    ) -> Daemon: ...


@pytest.fixture
def start_daemon() -> Iterator[StartDaemon]:
    """Starts daemons; they are ended, and must end well, after the test, unless it ended them itself."""
    with ExitStack() as running:

        def start(
            configuration: str = "",
            flags: Sequence[str] = TEST_CLOCK,
            socket: Path | None = None,
            open_files: int | None = None,
        ) -> Daemon:
            return running.enter_context(Daemon(configuration, flags, socket, open_files))

        yield start


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(running_redis: RedisServer) -> RedisServer:
    running_redis.call("CONFIG", "SET", "maxmemory", 0)
    running_redis.call("FLUSHALL")
    return running_redis


@pytest.fixture
def host(redis_server: RedisServer) -> Host:
    """One that has joined."""
    host = Host(redis_server)
    host.join()
    return host


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def start_host(start_daemon: StartDaemon, own_redis: RedisServer) -> Iterator[StartHost]:
    """Starts a sidecar on the test's Redis; its connection is closed after the test."""
    with ExitStack() as peers:

        def start(more: str = "", redis: str = f"redis: {own_redis.url}") -> Sidecar:
            daemon = start_daemon(f"{redis}\ndefaults: {{jitter: 0}}\n{more}", flags=())
            return Sidecar(peers.enter_context(daemon.connect()))

        yield start


@pytest.fixture
def hosts(start_host: StartHost) -> tuple[Sidecar, Sidecar]:
    pair = (start_host(), start_host())
    for host in pair:
        host.until_up()
    return pair
