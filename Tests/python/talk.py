"""Requests as the live tests write them, and the values they look at. It knows no sockets but through a peer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peer import Peer

# The most items of one request by default (limits.items).
BATCH = 1000


def request(op: str, **fields: object) -> str:
    return json.dumps({"op": op, **fields}, separators=(",", ":"))


def parsed(line: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(line)
    return answer


def code(line: str) -> str:
    """The error's code; an answer that is none fails the test."""
    answer = parsed(line)
    assert answer["ok"] is False, line
    found: str = answer["error"]["code"]
    return found


def fill(peer: Peer, count: int, ns: str = "big", value: object = 1) -> None:
    """Stores `key:0` and so on, in as few requests as may be, each sent while the one before is worked on."""
    wanted: list[str] = []
    for first in range(0, count, BATCH):
        items = [{"key": f"key:{number}", "value": value} for number in range(first, min(first + BATCH, count))]
        peer.send(request("set", ns=ns, items=items))
        if wanted:
            assert peer.receive() == wanted[-1]
        wanted.append('{"ok":true,"items":[' + ",".join(['{"stored":true}'] * len(items)) + "]}")
    assert peer.receive() == wanted[-1]


def entries(peer: Peer, ns: str = "big") -> int:
    found: int = parsed(peer.ask(request("stats", ns=ns)))["namespaces"][ns]["entries"]
    return found


PING = request("ping")
PONG = '{"ok":true}'
