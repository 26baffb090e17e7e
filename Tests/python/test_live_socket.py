"""The socket's path: one daemon at a time, whatever became of the one before."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon import BINARY, START_SECONDS, Daemon, unconfigured
from peer import Peer
from talk import PING, PONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartDaemon

KILLS = 100
# The longest path that the system takes: its place for one has 108 bytes, and the last is zero.
LONGEST = 107


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since the path of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="pannier-") as name:
        yield Path(name)


def refused_start(socket: Path) -> str:
    """What a daemon says that can't serve there: one line, and it has not crashed."""
    ended = subprocess.run(
        [BINARY, "serve", "--socket", socket],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        env=unconfigured(),
    )
    assert ended.returncode > 0, ended
    [line] = ended.stderr.splitlines()
    return line


def test_two_on_one_path(start_daemon: StartDaemon) -> None:
    first = start_daemon()
    with first.connect() as peer:
        said = refused_start(first.socket)
        assert f"pid {first.pid}" in said
        assert str(first.socket) in said
        assert peer.ask(PING) == PONG
    with first.connect() as peer:
        assert peer.ask(PING) == PONG
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    second = start_daemon(socket=first.socket)
    with second.connect() as peer:
        assert peer.ask(PING) == PONG


def test_some_at_once(folder: Path) -> None:
    """Of those that start at the same moment one serves, and the rest say so and end."""
    socket = folder / "pannier.sock"
    started = [
        subprocess.Popen(
            [BINARY, "serve", "--socket", socket], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    running = list(started)
    try:
        until = time.monotonic() + START_SECONDS
        while len(running) > 1:
            assert time.monotonic() < until, f"{len(running)} are still running"
            for process in list(running):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.01)
                    running.remove(process)
        with Peer.connect(socket) as peer:
            assert peer.ask(PING) == PONG
    finally:
        for process in running:
            process.terminate()
    for process in started:
        _, said = process.communicate(timeout=START_SECONDS)
        if process in running:
            assert (process.returncode, "msg=serving" in said) == (0, True)
        else:
            assert process.returncode > 0
            assert f"serves {socket}" in said
    assert list(folder.iterdir()) == []


def test_killed_and_started_again(folder: Path) -> None:
    socket = folder / "pannier.sock"
    for _ in range(KILLS):
        with Daemon(socket=socket) as daemon:
            with daemon.connect() as peer:
                assert peer.ask(PING) == PONG
            daemon.signal(signal.SIGKILL)
            assert daemon.wait() == -signal.SIGKILL
        assert socket.is_socket()


def test_killed_at_any_instant_of_its_start(folder: Path) -> None:
    socket = folder / "pannier.sock"
    for milliseconds in range(0, 60, 2):
        process = subprocess.Popen(
            [BINARY, "serve", "--socket", socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(milliseconds / 1000)
        process.kill()
        process.wait()
    with Daemon(socket=socket) as daemon, daemon.connect() as peer:
        assert peer.ask(PING) == PONG
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("too_many", [0, 1, 100])
def test_a_long_path(folder: Path, too_many: int) -> None:
    socket = folder / "x".ljust(LONGEST + too_many - len(str(folder)) - 1, "x")
    if too_many:
        said = refused_start(socket)
        assert f"{LONGEST + too_many} bytes" in said
        assert f"{LONGEST}" in said
    else:
        with Daemon(socket=socket) as daemon, daemon.connect() as peer:
            assert peer.ask(PING) == PONG
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("occupied", ["file", "folder", "link"])
def test_what_is_not_a_socket_is_left_alone(folder: Path, occupied: str) -> None:
    socket = folder / "pannier.sock"
    match occupied:
        case "file":
            socket.write_text("precious", encoding="utf-8")
        case "folder":
            socket.mkdir()
        case _:
            socket.symlink_to(folder / "elsewhere")
    before = socket.lstat()
    assert "left alone" in refused_start(socket)
    assert socket.lstat() == before
