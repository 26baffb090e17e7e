"""Many clients at once, and clients that ask for much: the others are served meanwhile."""

from __future__ import annotations

import select
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from peer import ClosedError, Peer
from talk import PING, PONG, code, entries, fill, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon
    from daemon import Daemon

# How long good clients may take in all, beside bad ones, on a busy machine with a debug build.
CROWD_SECONDS = 20.0
LINES_PER_TURN = 64


def pings(peer: Peer) -> int:
    count: int = parsed(peer.ask(request("stats")))["requests"]["ping"]
    return count


def test_64_lines_a_turn(start_daemon: StartDaemon) -> None:
    """It stands still while one client fills its socket and another asks one thing: then both are there at once."""
    daemon = start_daemon()
    lines = (PING + "\n").encode() * 100_000
    with daemon.connect() as greedy, daemon.connect() as other:
        assert [greedy.ask(PING), other.ask(PING)] == [PONG, PONG]
        daemon.signal(signal.SIGSTOP)
        taken = greedy.send_what_fits(lines)
        other.send(request("stats"))
        daemon.signal(signal.SIGCONT)
        before = parsed(other.receive())["requests"]["ping"] - 2
        assert taken > 20 * LINES_PER_TURN * len(PING)
        assert before <= 2 * LINES_PER_TURN
        received = 0
        asked = 0
        while received < 100_000:
            taken += greedy.send_what_fits(lines[taken : taken + 100_000])
            assert greedy.receive() == PONG
            received += 1
            if received % 2000 == 0:
                assert other.ask(PING) == PONG
                asked += 1
        assert pings(other) == 100_000 + 2 + asked


def test_slow_readers_and_slow_writers_beside_good_clients(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {output_bytes: 1MiB}", ())
    with ExitStack() as open_peers:
        good = [open_peers.enter_context(daemon.connect()) for _ in range(20)]
        slow_readers = [open_peers.enter_context(daemon.connect()) for _ in range(5)]
        slow_writers = [open_peers.enter_context(daemon.connect()) for _ in range(5)]
        good[0].ask(request("set", ns="a", key="k", value="x" * 100_000))
        asked = (request("get", ns="a", key="k") + "\n").encode() * 10_000
        written = (PING + "\n").encode()
        until = time.monotonic() + CROWD_SECONDS
        for turn in range(100):
            for peer in slow_readers:
                peer.send_what_fits(asked)
            for peer in slow_writers:
                peer.send_bytes(written[turn % len(written) :][:1])
            for peer in good:
                peer.send("\n".join([PING, request("set", ns="b", key=str(turn), value=turn)]))
            for peer in good:
                assert peer.receive_lines(2) == [PONG, '{"ok":true,"stored":true}']
        assert time.monotonic() < until
        assert all(peer.receive_lines(100 // len(written)) == [PONG] * (100 // len(written)) for peer in slow_writers)


def test_a_clear_of_200_000_beside_pings(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=())
    with daemon.connect() as clearing, daemon.connect() as pinging:
        fill(clearing, 200_000)
        fill(clearing, 1000, ns="other")
        clearing.send(request("clear", ns="big", match="key:*[02468]"))
        gaps: list[float] = []
        while (answer := clearing.available()) is None:
            began = time.monotonic()
            assert pinging.ask(PING) == PONG
            gaps.append(time.monotonic() - began)
        assert answer == '{"ok":true,"cleared":100000}'
        print(f"{len(gaps)} pings beside the clear, the slowest {max(gaps) * 1000:.1f} ms")
        assert len(gaps) > 20
        assert entries(pinging) == 100_000
        assert entries(pinging, "other") == 1000
        assert clearing.ask(request("clear", ns="big")) == '{"ok":true,"cleared":100000}'
        assert clearing.ask(request("clear", ns="*")) == '{"ok":true,"cleared":1000}'


def test_memory_is_given_back_to_the_next(start_daemon: StartDaemon) -> None:
    """Filled and cleared again and again, with more in all than it may ever have at once."""
    daemon = start_daemon("memory: 32MiB")
    with daemon.connect() as peer:
        used: list[int] = []
        for _ in range(3):
            fill(peer, 50_000, value="x" * 200)
            assert entries(peer) == 50_000
            assert peer.ask(request("clear", ns="big")) == '{"ok":true,"cleared":50000}'
            assert entries(peer) == 0
            used.append(parsed(peer.ask(request("stats")))["memory"]["used"])
            assert daemon.resident_bytes() < 48 << 20
        assert used == [used[0]] * 3
        # What is left is the tables and what is remembered of what is gone.
        assert used[0] < 1 << 20


# MARK: Descriptors

OPEN_FILES = 64


def test_200_connections_over_64_descriptors(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=(), open_files=OPEN_FILES)
    assert f"only {OPEN_FILES} files" in daemon.log.wait_for("taking at most")
    with ExitStack() as open_peers:
        peers = [open_peers.enter_context(daemon.connect()) for _ in range(200)]
        served = [peer for peer in peers if is_served(peer)]
        assert OPEN_FILES // 3 < len(served) < OPEN_FILES
        # Nothing happens, for a second: it doesn't turn in circles over the connections that it could not take.
        before = daemon.cpu_seconds()
        assert select.select(served, [], [], 1.0)[0] == []
        assert daemon.cpu_seconds() - before < 0.25
        assert [peer.ask(PING) for peer in served] == [PONG] * len(served)
        for peer in served:
            peer.close()
        assert_room(daemon, len(served) // 2)


def is_served(peer: Peer) -> bool:
    """Those that are not are told so, or closed where there was no descriptor even for that."""
    try:
        answer = peer.ask(PING)
    except ClosedError:
        told = peer.receive_all()
        assert [code(line) for line in told] in ([], ["too_many_connections"])
        return False
    if answer == PONG:
        return True
    assert code(answer) == "too_many_connections"
    return False


def assert_room(daemon: Daemon, count: int) -> None:
    """Connections that were closed take the daemon a moment to notice."""
    until = time.monotonic() + CROWD_SECONDS
    with ExitStack() as open_peers:
        found = 0
        while found < count:
            assert time.monotonic() < until, f"room for {found} alone"
            peer = open_peers.enter_context(daemon.connect())
            if is_served(peer):
                found += 1
            else:
                peer.close()
