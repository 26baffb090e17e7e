"""How the running daemon cuts what it reads into lines, and how it treats a client that has nothing more to send."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from talk import PING, PONG, code, fill, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon

# Far more than a program that only copies takes.
PROGRAM_SECONDS = 20.0
# Many slices of background work, so that a clear of them is answered later.
MANY = 5_000

SET = request("set", ns="a", key="k", value={"a": [1, 2, {"é": "\u2028"}]}).encode()
GET = request("get", ns="a", key="k").encode()


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(b"\n\n\r\n" + PING.encode() + b"\n\n", 1, id="empty lines"),
        pytest.param((PING.encode() + b"\r\n") * 3, 3, id="CR before LF"),
        pytest.param(b"  \t" + PING.encode() + b" \r\n", 1, id="white space around"),
    ],
)
def test_what_is_passed_over(start_daemon: StartDaemon, sent: bytes, answers: int) -> None:
    with start_daemon().connect() as peer:
        peer.send_bytes(sent)
        peer.finish_sending()
        assert peer.receive_all() == [PONG] * answers


def test_byte_at_a_time(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with daemon.connect() as peer, daemon.connect() as other:
        for sent in (SET, b"", PING.encode() + b"\r", b"nonsense", GET):
            for byte in sent + b"\n":
                peer.send_bytes(bytes([byte]))
                # An answer of another's between two bytes: each byte is read by itself.
                assert other.ask(PING) == PONG
        stored, pong, error, hit = peer.receive_lines(4)
        assert (stored, pong, code(error)) == ('{"ok":true,"stored":true}', PONG, "bad_json")
        assert parsed(hit)["value"] == {"a": [1, 2, {"é": "\u2028"}]}


def test_cut_anywhere(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    sent = SET + b"\n" + GET + b"\r\n" + PING.encode() + b"\n"
    with daemon.connect() as peer, daemon.connect() as other:
        for cut in range(len(sent)):
            peer.send_bytes(sent[:cut])
            assert other.ask(PING) == PONG
            peer.send_bytes(sent[cut:])
            stored, hit, pong = peer.receive_lines(3)
            assert (stored, parsed(hit)["hit"], pong) == ('{"ok":true,"stored":true}', True, PONG)


@pytest.mark.parametrize(
    "line",
    [
        b'{"op":"get","ns":"a","key":"\xff"}',
        b'{"op":"ping"}\xc3',
        b"\xc0\xaf",
        b'{"op":"get","ns":"a","key":"\xed\xa0\x80"}',
    ],
)
def test_what_is_not_utf8_closes(start_daemon: StartDaemon, line: bytes) -> None:
    daemon = start_daemon()
    with daemon.connect() as other, daemon.connect() as peer:
        peer.send_bytes(PING.encode() + b"\n" + line + b"\n" + PING.encode() + b"\n")
        first, last = peer.receive_all()
        assert (first, code(last)) == (PONG, "bad_utf8")
        assert other.ask(PING) == PONG


def test_a_long_value_in_pieces(start_daemon: StartDaemon) -> None:
    value = "x" * 1_000_000
    with start_daemon().connect() as peer:
        line = request("set", ns="a", key="k", value=value).encode() + b"\n"
        for start in range(0, len(line), 10_007):
            peer.send_bytes(line[start : start + 10_007])
        assert peer.receive() == '{"ok":true,"stored":true}'
        assert peer.ask(GET.decode()) == f'{{"ok":true,"hit":true,"value":"{value}"}}'


# MARK: Half-closed

CLEAR = request("clear", ns="big", match="key:*")
CLEARED = f'{{"ok":true,"cleared":{MANY}}}'


@pytest.mark.parametrize("end", ["\n", ""], ids=["LF at the end", "no LF at the end"])
@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        pytest.param([PING], [PONG], id="one"),
        pytest.param([PING] * 1000, [PONG] * 1000, id="many turns"),
        pytest.param([PING, CLEAR], [PONG, CLEARED], id="the last is parked"),
        pytest.param(
            [CLEAR, PING, CLEAR, PING], [CLEARED, PONG, '{"ok":true,"cleared":0}', PONG], id="some wait behind"
        ),
        pytest.param(
            [request("clear", id=1, ns="big")], [f'{{"id":1,"ok":true,"cleared":{MANY}}}'], id="parked with an id"
        ),
    ],
)
def test_every_answer_arrives(start_daemon: StartDaemon, lines: list[str], answers: list[str], end: str) -> None:
    daemon = start_daemon()
    with daemon.connect() as filler:
        fill(filler, MANY)
    with daemon.connect() as peer:
        peer.send_bytes(("\n".join(lines) + end).encode())
        peer.finish_sending()
        assert peer.receive_all() == answers


def test_every_answer_arrives_at_a_slow_reader(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("limits: {output_bytes: 64KiB}")
    value = "x" * 100_000
    with daemon.connect() as peer:
        peer.send("\n".join([request("set", ns="a", key="k", value=value)] + [GET.decode()] * 100))
        peer.finish_sending()
        stored, *hits = peer.receive_all()
        assert stored == '{"ok":true,"stored":true}'
        assert hits == [f'{{"ok":true,"hit":true,"value":"{value}"}}'] * 100


@pytest.mark.parametrize("last", [CLEAR, CLEAR + "\n"])
def test_socat(start_daemon: StartDaemon, last: str) -> None:
    daemon = start_daemon()
    with daemon.connect() as filler:
        fill(filler, MANY)
    printed = subprocess.run(
        ["socat", "-t5", "-", f"UNIX-CONNECT:{daemon.socket}"],
        input=f"{PING}\n{GET.decode()}\n{last}",
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=True,
    )
    assert printed.stdout.splitlines() == [PONG, '{"ok":true,"hit":false}', CLEARED]


@pytest.mark.parametrize("partial", [b"{", b'{"op":"get"'])
def test_half_a_line_at_the_end(start_daemon: StartDaemon, partial: bytes) -> None:
    """The end of input ends the last line, whatever it is."""
    with start_daemon().connect() as peer:
        peer.send_bytes(partial)
        peer.finish_sending()
        [line] = peer.receive_all()
        assert code(line) == "bad_json"


def test_nothing_sent(start_daemon: StartDaemon) -> None:
    with start_daemon().connect() as peer:
        peer.finish_sending()
        assert peer.receive_all() == []
