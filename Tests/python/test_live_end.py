"""How the running daemon ends, and what it survives: signals, and clients that go away."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from talk import PING, PONG, code, entries, fill, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon

MANY = 20_000
# Lines for many turns, and yet few enough to be read at once.
DEEP = 4000
CLEAR = request("clear", ns="big", match="key:*")
CLEARED = f'{{"ok":true,"cleared":{MANY}}}'

# What the server promises; the process's own end is in it.
END_SECONDS = 5.0

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@SIGNALS
def test_an_idle_client_is_told(start_daemon: StartDaemon, number: signal.Signals) -> None:
    daemon = start_daemon()
    with daemon.connect() as idle, daemon.connect() as other:
        assert other.ask(PING) == PONG
        daemon.signal(number)
        for peer in (idle, other):
            [line] = peer.receive_all()
            assert code(line) == "shutting_down"
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            daemon.connect()
    assert daemon.wait(END_SECONDS) == 0
    assert [entry.name for entry in daemon.socket.parent.iterdir()] == ["pannier.yaml"]


def test_nobody_is_connected(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(END_SECONDS) == 0


@SIGNALS
def test_what_is_in_flight_is_answered(start_daemon: StartDaemon, number: signal.Signals) -> None:
    daemon = start_daemon()
    with (
        daemon.connect() as peer,
        daemon.connect() as with_id,
        daemon.connect() as piped,
        daemon.connect() as deep,
    ):
        fill(peer, MANY)
        peer.send("\n".join([CLEAR, PING, request("get", ns="big", key="key:1")]))
        with_id.send(request("clear", id=1, ns="big"))
        piped.send("\n".join([PING] * 1000))
        piped.finish_sending()
        deep.send("\n".join([PING] * DEEP))
        daemon.signal(number)
        *answers, last = peer.receive_all()
        assert answers == [CLEARED, PONG, '{"ok":true,"hit":false}']
        assert code(last) == "shutting_down"
        answer, last = with_id.receive_all()
        assert (parsed(answer)["id"], code(last)) == (1, "shutting_down")
        # Whether the end of what it sent was read in time is open.
        assert piped.receive_all()[:1000] == [PONG] * 1000
        *answers, last = deep.receive_all()
        assert answers == [PONG] * DEEP
        assert code(last) == "shutting_down"
    assert daemon.wait(END_SECONDS) == 0


def test_a_client_that_never_reads_holds_nothing_up(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(flags=())
    with daemon.connect() as stuck, daemon.connect() as partial, daemon.connect() as good:
        good.ask(request("set", ns="a", key="k", value="x" * 100_000))
        stuck.send("\n".join([request("get", ns="a", key="k")] * 100))
        partial.send_bytes(b'{"op":')
        assert good.ask(PING) == PONG
        started = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert [code(line) for line in good.receive_all()] == ["shutting_down"]
        assert [code(line) for line in partial.receive_all()] == ["shutting_down"]
        # Asked twice, it ends no sooner, and no worse.
        daemon.signal(signal.SIGTERM)
        assert daemon.wait(END_SECONDS - (time.monotonic() - started)) == 0
        assert not daemon.socket.exists()


def test_a_slow_reader_gets_what_it_is_owed(start_daemon: StartDaemon) -> None:
    value = "x" * 100_000
    daemon = start_daemon()
    with daemon.connect() as peer:
        peer.ask(request("set", ns="a", key="k", value=value))
        peer.send("\n".join([request("get", ns="a", key="k")] * 100))
        # The first answer is here, so all were read: they came together.
        answers = [peer.receive()]
        daemon.signal(signal.SIGTERM)
        daemon.log.wait_for("shutting down")
        answers += peer.receive_all()
        assert answers[:-1] == [f'{{"ok":true,"hit":true,"value":"{value}"}}'] * 100
        assert code(answers[-1]) == "shutting_down"
    assert daemon.wait(END_SECONDS) == 0


# MARK: Clients that go away


def test_clients_that_vanish_amid_their_answers(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with daemon.connect() as good:
        fill(good, MANY)
        good.ask(request("set", ns="a", key="k", value="x" * 100_000))
        for number in range(20):
            with daemon.connect() as vanishing:
                vanishing.send("\n".join([request("get", ns="a", key="k")] * 20))
                if number % 2:
                    vanishing.receive()
            with daemon.connect() as vanishing:
                vanishing.send("\n".join([request("clear", ns="big", match="nothing*"), PING, '{"op":']))
            with daemon.connect() as vanishing:
                vanishing.send(request("watch"))
            assert good.ask(PING) == PONG
        # Whoever asks for a clear need not stay for it.
        with daemon.connect() as vanishing:
            vanishing.send(CLEAR)
        deadline = time.monotonic() + 10
        while entries(good) > 0:
            assert time.monotonic() < deadline
        assert parsed(good.ask(request("set", ns="a", key="k", value=1)))["stored"] is True


def test_sigpipe_is_harmless(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with daemon.connect() as peer:
        daemon.signal(signal.SIGPIPE)
        assert peer.ask(PING) == PONG
