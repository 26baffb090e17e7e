"""One load a key over real connections and processes: however many ask, and whoever dies."""

from __future__ import annotations

import resource
import select
import signal
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from talk import PING, PONG, code, parsed, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartDaemon
    from daemon import Daemon
    from peer import Peer

CROWD = 1000
WAITERS = 100
WANTED = request("get", ns="q", key="cold", lease=True, wait=30)
STORED = '{"ok":true,"stored":true}'
# How long a killed process may take to end, and the daemon may compute until it has read what was sent: far more than
# either needs on a busy machine.
END_SECONDS = 10.0
MOST_SECONDS = 30.0


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as this process may have: a crowd's ends are all its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_1000_connections_ask_for_one_cold_key(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=())
    with ExitStack() as open_peers:
        observer = open_peers.enter_context(daemon.connect())
        holder, token, waited = crowd(daemon, open_peers, observer, CROWD)
        assert holder.ask(request("set", ns="q", key="cold", lease=token, value="loaded")) == STORED
        assert [peer.receive() for peer in waited] == ['{"ok":true,"hit":true,"value":"loaded"}'] * (CROWD - 1)
        counted = counters(observer)
        assert (counted["leases"]["granted"], counted["leases"]["filled"], counted["sets"]) == (1, 1, 1)
        assert (counted["waits"]["count"], counted["waits"]["now"]) == (CROWD - 1, 0)
        assert (counted["hits"], counted["misses"]) == (CROWD - 1, 1)


def test_the_holder_is_killed_and_the_next_is_elected(start_daemon: StartDaemon) -> None:
    """Every holder in turn: each time one is elected, and one alone, in the order in which they came."""
    daemon = start_daemon(flags=())
    with ExitStack() as open_peers:
        holder = open_peers.enter_context(loading(daemon))
        observer = open_peers.enter_context(daemon.connect())
        peers: list[Peer] = []
        for count in range(1, WAITERS + 1):
            peers.append(open_peers.enter_context(daemon.connect()))
            peers[-1].send(WANTED)
            wait_for_waiters(daemon, observer, count)
        holder.send_signal(signal.SIGKILL)
        assert holder.wait(END_SECONDS) == -signal.SIGKILL
        for place, peer in enumerate(peers[:-1]):
            assert "lease" in parsed(peer.receive())
            assert counters(observer)["waits"]["now"] == WAITERS - 1 - place
            peer.close()
        last = peers[-1]
        token = parsed(last.receive())["lease"]
        assert last.ask(request("set", ns="q", key="cold", lease=token, value=1)) == STORED
        counted = counters(observer)["leases"]
        assert (counted["granted"], counted["handed_over"], counted["held"]) == (WAITERS + 1, WAITERS, 0)


def test_waiting_costs_nothing(start_daemon: StartDaemon) -> None:
    """Nobody polls: while nothing happens nothing is computed, and the loop's waiting is not taken for work."""
    daemon = start_daemon(flags=())
    with ExitStack() as open_peers:
        observer = open_peers.enter_context(daemon.connect())
        _, _, waited = crowd(daemon, open_peers, observer, WAITERS)
        before = daemon.cpu_seconds()
        assert select.select(waited, [], [], 2.0)[0] == []
        assert daemon.cpu_seconds() - before < 0.1
        # The connections' times are looked at each second.
        assert parsed(observer.ask(request("stats")))["loop_delay"]["max"] < 0.9


def test_a_lease_handed_over_by_a_disconnect_times_out(start_daemon: StartDaemon) -> None:
    """Nobody asks anything meanwhile: the daemon itself knows when it is due."""
    daemon = start_daemon("defaults: {lease_timeout: 300ms, max_wait: 60s}", ())
    with daemon.connect() as second, daemon.connect() as third, daemon.connect() as observer:
        with daemon.connect() as first:
            assert "lease" in parsed(first.ask(WANTED))
            second.send(WANTED)
            wait_for_waiters(daemon, observer, 1)
            third.send(WANTED)
            wait_for_waiters(daemon, observer, 2)
        assert "lease" in parsed(second.receive())
        assert "lease" in parsed(third.receive())


def test_a_reload_tells_those_who_wait(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=())
    with daemon.connect() as holder, daemon.connect() as waiter:
        assert "lease" in parsed(holder.ask(WANTED))
        waiter.send(WANTED)
        wait_for_waiters(daemon, holder, 1)
        daemon.configuration.write_text("namespaces: {q: {mode: bypass}}", encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        assert waiter.receive() == '{"ok":true,"hit":false}'


def test_the_end_answers_who_waits_and_what_stands_behind(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=())
    with daemon.connect() as holder, daemon.connect() as waiter:
        assert "lease" in parsed(holder.ask(WANTED))
        waiter.send("\n".join([WANTED, WANTED, PING]))
        wait_for_waiters(daemon, holder, 1)
        daemon.signal(signal.SIGTERM)
        first, second, third, last = waiter.receive_all()
        assert [code(first), code(last)] == ["shutting_down"] * 2
        assert [parsed(second)["hit"], third] == [False, PONG]
        assert daemon.wait() == 0


def crowd(daemon: Daemon, open_peers: ExitStack, observer: Peer, count: int) -> tuple[Peer, str, list[Peer]]:
    """`count` connections that have asked for one key: the one elected, its token, and those who wait."""
    peers = [open_peers.enter_context(daemon.connect()) for _ in range(count)]
    for peer in peers:
        peer.send(WANTED)
    wait_for_waiters(daemon, observer, count - 1)
    ((holder, answer),) = [(peer, answer) for peer in peers if (answer := peer.available()) is not None]
    token: str = parsed(answer)["lease"]
    return holder, token, [peer for peer in peers if peer is not holder]


def counters(peer: Peer) -> dict[str, Any]:
    found: dict[str, Any] = parsed(peer.ask(request("stats", ns="q")))["namespaces"]["q"]
    return found


def loading(daemon: Daemon) -> subprocess.Popen[str]:
    """A process that has been elected to load the key, and does nothing more."""
    holder = subprocess.Popen(
        ["socat", "-", f"UNIX-CONNECT:{daemon.socket}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(WANTED + "\n")
    holder.stdin.flush()
    assert "lease" in parsed(holder.stdout.readline())
    return holder


def wait_for_waiters(daemon: Daemon, observer: Peer, count: int) -> None:
    """What was sent may not have been read yet."""
    while "q" not in parsed(observer.ask(request("stats")))["namespaces"] or counters(observer)["waits"]["now"] < count:
        assert daemon.cpu_seconds() < MOST_SECONDS


def test_nobody_is_counted_as_waiting_after_an_answer_that_was_too_long(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {line_bytes: 1KiB}")
    with ExitStack() as open_peers:
        holder, observer, greedy, modest = [open_peers.enter_context(daemon.connect()) for _ in range(4)]
        for key in ("long", "longer"):
            assert observer.ask(request("set", ns="q", key=key, value="x" * 600)) == STORED
        token = parsed(holder.ask(request("get", ns="q", key="cold", lease=True)))["lease"]
        greedy.send(request("get", ns="q", keys=["cold", "long", "longer"], lease=True, wait=30))
        wait_for_waiters(daemon, observer, 1)
        modest.send(WANTED)
        wait_for_waiters(daemon, observer, 2)
        holder.ask(request("release", ns="q", key="cold", lease=token))
        assert code(greedy.receive()) == "value_too_large"
        assert "lease" in parsed(modest.receive())
        assert counters(observer)["waits"]["now"] == 0
