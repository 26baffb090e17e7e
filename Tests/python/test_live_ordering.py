"""In which order answers come from the running daemon, and in how many writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from talk import PING, PONG, code, fill, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon

# Many slices of background work: the clear is surely not over when the lines behind it are read.
MANY = 5_000

CLEAR = request("clear", ns="big", match="key:*")
CLEARED = f'{{"ok":true,"cleared":{MANY}}}'


def test_without_ids_in_their_order(start_daemon: StartDaemon) -> None:
    with start_daemon().connect() as peer:
        lines: list[str] = []
        wanted: list[str] = []
        for number in range(300):
            lines += [request("set", ns="a", key="k", value=number), request("get", ns="a", key="k"), "nonsense", PING]
            wanted += ['{"ok":true,"stored":true}', f'{{"ok":true,"hit":true,"value":{number}}}', "bad_json", PONG]
        peer.send("\n".join(lines))
        answers = peer.receive_lines(len(lines))
        assert [code(line) if "bad_json" in line else line for line in answers] == wanted


def test_ids_overtake_and_the_rest_waits(start_daemon: StartDaemon) -> None:
    with start_daemon().connect() as peer:
        fill(peer, MANY)
        peer.send(
            "\n".join(
                [
                    CLEAR,
                    request("ping", id=1),
                    request("set", ns="big", key="new", value=7),
                    "nonsense",
                    request("get", id="two", ns="big", key="key:1"),
                    request("get", id=3, ns="big", key="new"),
                    request("get", ns="big", key="new"),
                    request("nothing", id=4),
                ]
            )
        )
        overtaking = peer.receive_lines(4)
        assert overtaking[:3] == [
            '{"id":1,"ok":true}',
            # The clear holds from the moment it was read, and what waits behind it has not been done.
            '{"id":"two","ok":true,"hit":false}',
            '{"id":3,"ok":true,"hit":false}',
        ]
        assert (parsed(overtaking[3])["id"], code(overtaking[3])) == (4, "unknown_op")
        assert peer.receive_lines(2) == [CLEARED, '{"ok":true,"stored":true}']
        assert code(peer.receive()) == "bad_json"
        assert peer.receive() == '{"ok":true,"hit":true,"value":7}'


def test_a_clear_with_an_id_holds_nothing_up(start_daemon: StartDaemon) -> None:
    with start_daemon().connect() as peer:
        fill(peer, MANY)
        peer.send("\n".join([request("clear", id=9, ns="big", match="key:*"), PING, request("ping", id=1), PING]))
        assert peer.receive_lines(4) == [PONG, '{"id":1,"ok":true}', PONG, f'{{"id":9,"ok":true,"cleared":{MANY}}}']


def test_clears_without_id_one_after_another(start_daemon: StartDaemon) -> None:
    with start_daemon().connect() as peer:
        fill(peer, MANY)
        sets = [request("set", ns="big", key=f"key:{number}", value=1) for number in range(3)]
        peer.send("\n".join([CLEAR, *sets, CLEAR, PING, CLEAR]))
        stored = '{"ok":true,"stored":true}'
        assert peer.receive_lines(7) == [
            *(CLEARED, stored, stored, stored),
            *('{"ok":true,"cleared":3}', PONG, '{"ok":true,"cleared":0}'),
        ]


@pytest.mark.parametrize("lines", [1, 16, 64])
def test_what_arrives_together_is_answered_in_one_write(start_daemon: StartDaemon, lines: int) -> None:
    daemon = start_daemon()
    with daemon.connect() as peer:
        assert peer.ask(PING) == PONG
        before = daemon.written()
        peer.send("\n".join([PING] * lines))
        assert peer.receive_lines(lines) == [PONG] * lines
        assert daemon.written() - before == 1
