"""Each limit of the running daemon: what is said where it is reached, and that everybody else goes on."""

from __future__ import annotations

import json
import select
import time
from typing import TYPE_CHECKING

import pytest

from peer import ClosedError, Peer
from talk import PING, PONG, code, fill, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon
    from daemon import Daemon

# How long a client tries what the daemon has yet to take notice of.
NOTICE_SECONDS = 10.0

NESTED = '{"op":"set","ns":"a","key":"k","value":%s}'


def farewell(peer: Peer) -> tuple[list[str], str]:
    """What was answered before, and the code of the last line, behind which the connection closed."""
    *before, last = peer.receive_all()
    return before, code(last)


# MARK: What a line may be


@pytest.mark.parametrize(
    ("limit", "fits", "too_much", "said"),
    [
        ("key_bytes: 4", request("exists", ns="a", key="aaaa"), request("exists", ns="a", key="aaaab"), "key_too_long"),
        (
            "key_bytes: 4",
            '{"op":"exists","ns":"a","key":"\\u00e9\\u00e9"}',
            request("exists", ns="a", key="ééé"),
            "key_too_long",
        ),
        ("nesting: 4", NESTED % "[[[1]]]", NESTED % "[[[[1]]]]", "bad_json"),
        (
            "items: 2",
            request("get", ns="a", keys=["a", "b"]),
            request("get", ns="a", keys=["a", "b", "c"]),
            "bad_request",
        ),
        (
            "items: 1",
            request("set", ns="a", items=[{"key": "a", "value": 1}]),
            request("set", ns="a", items=[{"key": "a", "value": 1}] * 2),
            "bad_request",
        ),
    ],
)
def test_a_request_over_a_limit(start_daemon: StartDaemon, limit: str, fits: str, too_much: str, said: str) -> None:
    with start_daemon(f"limits: {{{limit}}}").connect() as peer:
        assert parsed(peer.ask(fits))["ok"] is True
        refused = peer.ask(too_much)
        assert code(refused) == said
        if said != "bad_json":
            assert f"limits.{limit.partition(':')[0]}" in refused
        assert peer.ask(PING) == PONG


def test_namespaces(start_daemon: StartDaemon) -> None:
    with start_daemon("limits: {namespaces: 2}").connect() as peer:
        for ns in ("a", "b"):
            assert parsed(peer.ask(request("set", ns=ns, key="k", value=1)))["stored"] is True
        refused = peer.ask(request("set", ns="c", key="k", value=1))
        assert code(refused) == "overloaded"
        assert "limits.namespaces" in refused
        assert parsed(peer.ask(request("get", ns="a", key="k")))["hit"] is True


LINE_BYTES = 1024


def padded(size: int) -> bytes:
    return PING.encode().ljust(size)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(padded(LINE_BYTES) + b"\n", None, id="just fits"),
        pytest.param(padded(LINE_BYTES + 1) + b"\n" + PING.encode() + b"\n", [], id="one byte more"),
        pytest.param(padded(LINE_BYTES + 1), [], id="no end in sight"),
        pytest.param(PING.encode() + b"\n" + padded(1 << 20), [PONG], id="far too long, behind a good one"),
    ],
)
def test_line_bytes(start_daemon: StartDaemon, sent: bytes, answered: list[str] | None) -> None:
    daemon = start_daemon("limits: {line_bytes: 1KiB}")
    with daemon.connect() as other, daemon.connect() as peer:
        if answered is None:
            peer.send_bytes(sent)
            assert peer.receive() == PONG
        else:
            peer.send_what_fits(sent)
            assert farewell(peer) == (answered, "line_too_long")
        assert other.ask(PING) == PONG


def test_an_answer_over_line_bytes_asks_for_fewer(start_daemon: StartDaemon) -> None:
    with start_daemon("limits: {line_bytes: 1KiB}").connect() as peer:
        for key in ("a", "b"):
            peer.ask(request("set", ns="a", key=key, value="x" * 600))
        assert code(peer.ask(request("get", ns="a", keys=["a", "b"]))) == "value_too_large"
        assert parsed(peer.ask(request("get", ns="a", keys=["a"])))["ok"] is True


# MARK: Time for a line

LINE_TIME = "limits: {line_time: 300ms}"


@pytest.mark.parametrize("partial", [b"{", b'{"op":"ping"}', b" "])
def test_line_time(start_daemon: StartDaemon, partial: bytes) -> None:
    daemon = start_daemon(LINE_TIME)
    with daemon.connect() as idle, daemon.connect() as peer:
        peer.send_bytes(PING.encode() + b"\n" + partial)
        before, said = farewell(peer)
        assert (before, said) == ([PONG], "line_too_long")
        # Who begins no line may take all the time there is.
        assert idle.ask(PING) == PONG


def test_line_time_is_each_lines_own(start_daemon: StartDaemon) -> None:
    """Reads that end within a line, one after the other, for far longer than a line may take."""
    with start_daemon(LINE_TIME).connect() as peer:
        head, tail = PING[:5], PING[5:]
        peer.send_bytes(head.encode())
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            peer.send_bytes(f"{tail}\n{head}".encode())
            assert peer.receive() == PONG


# MARK: Connections


def test_connections(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {connections: 3}")
    with connect(daemon) as first, connect(daemon) as second:
        third = connect(daemon)
        with daemon.connect() as fourth:
            assert farewell(fourth) == ([], "too_many_connections")
        with third:
            assert [peer.ask(PING) for peer in (first, second, third)] == [PONG] * 3
        with connect(daemon) as fifth:
            assert [peer.ask(PING) for peer in (first, second, fifth)] == [PONG] * 3


def connect(daemon: Daemon) -> Peer:
    """Tries again while there is no room: a connection that a client closed takes the daemon a moment to notice."""
    until = time.monotonic() + NOTICE_SECONDS
    while True:
        peer = daemon.connect()
        try:
            if peer.ask(PING) == PONG:
                return peer
        except ClosedError:
            pass
        peer.close()
        assert time.monotonic() < until, "there is no room"


# MARK: Work in flight

# Many slices of background work: clears of them are under way for some turns.
MANY = 5_000


def test_in_flight_with_ids(start_daemon: StartDaemon) -> None:
    """Clears with ids that are one too many are refused; other requests are not in flight for longer than they take."""
    daemon = start_daemon("limits: {in_flight: 4}")
    with daemon.connect() as peer:
        fill(peer, MANY)
        clears = [request("clear", id=number, ns="big", match=f"key:{number}*") for number in range(6)]
        peer.send("\n".join([*clears, PING]))
        answers = [parsed(peer.receive()) for _ in range(7)]
        refused = [answer["id"] for answer in answers if answer["ok"] is False]
        assert refused == [4, 5]
        assert {answer["error"]["code"] for answer in answers if "error" in answer} == {"overloaded"}
        assert answers[2] == {"ok": True}
        assert {answer["id"] for answer in answers[3:]} == {0, 1, 2, 3}
        # There is room again.
        assert parsed(peer.ask(clears[4]))["ok"] is True


def test_in_flight_without_ids(start_daemon: StartDaemon) -> None:
    """Nothing is refused: what is one too many is not read, and is answered in its order."""
    with start_daemon("limits: {in_flight: 4}").connect() as peer:
        fill(peer, MANY)
        counting = [request("clear", ns="big", match=f"key:{number}*", dry_run=True) for number in range(6)]
        peer.send("\n".join([line for clear in counting for line in (clear, PING)]))
        answers = [parsed(line) for line in peer.receive_lines(12)]
        assert [answer["cleared"] for answer in answers[::2]] == [counted(number) for number in range(6)]
        assert answers[1::2] == [{"ok": True}] * 6


def counted(digit: int) -> int:
    return sum(str(number).startswith(str(digit)) for number in range(MANY))


# MARK: Output that is not read

VALUE_BYTES = 100_000
OUTPUT_BYTES = 1 << 20


def test_output_bytes_and_output_time(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {output_bytes: 1MiB, output_time: 2s}", ())
    with daemon.connect() as good, daemon.connect() as slow:
        good.ask(request("set", ns="a", key="k", value="x" * VALUE_BYTES))
        asked = (request("get", ns="a", key="k") + "\n").encode() * 100_000
        before = daemon.resident_bytes()
        taken = slow.send_what_fits(asked)
        for _ in range(200):
            assert good.ask(PING) == PONG
            taken += slow.send_what_fits(asked[taken:])
        # It is no longer read, and what it is owed is bounded: the output, which grows by doubling, and an answer.
        assert taken < len(asked) // 2
        assert not select.select([], [slow], [], 0)[1]
        assert daemon.resident_bytes() - before < 4 * OUTPUT_BYTES + 2 * VALUE_BYTES
        slow.wait_until_closed()
        assert "pid=" in daemon.log.wait_for("does not read")
        assert good.ask(PING) == PONG


def test_a_slow_reader_that_reads_gets_everything(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {output_bytes: 64KiB}")
    with daemon.connect() as peer:
        peer.ask(request("set", ns="a", key="k", value="x" * VALUE_BYTES))
        asked = request("get", ns="a", key="k")
        peer.send("\n".join([asked] * 200 + [PING]))
        for _ in range(200):
            assert len(peer.receive()) == VALUE_BYTES + len('{"ok":true,"hit":true,"value":""}')
        assert peer.receive() == PONG


# MARK: Events that are not read

# More than may wait for a slow reader, together with what its socket holds.
EVENTS = 30_000


def test_a_watcher_that_reads_too_slowly(start_daemon: StartDaemon) -> None:
    """Every event is either shown or counted as dropped, and the count comes without another event's help."""
    daemon = start_daemon()
    with daemon.connect() as watcher, daemon.connect() as other:
        assert parsed(watcher.ask(request("watch", events=["set"])))["watching"] is True
        fill(other, EVENTS)
        shown = 0
        while (event := parsed(watcher.receive()))["event"] == "set":
            assert event["key"] == f"key:{shown}"
            shown += 1
        assert event == {"event": "dropped", "count": EVENTS - shown}
        other.ask(request("set", ns="a", key="after", value=1))
        assert parsed(watcher.receive())["key"] == "after"
        assert watcher.ask(PING) == PONG


def test_hello_tells_the_limits(start_daemon: StartDaemon) -> None:
    with start_daemon("limits: {in_flight: 7, line_time: 1500ms, output_bytes: 1MiB}").connect() as peer:
        limits = json.loads(peer.ask(request("hello")))["limits"]
        assert (limits["in_flight"], limits["line_time"], limits["output_bytes"]) == (7, 1.5, 1 << 20)
