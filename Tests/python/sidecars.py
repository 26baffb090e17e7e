"""Sidecars that share a Redis as the live tests talk to them, and waiting for what becomes true."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import schemas
from talk import parsed, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer

# Far more than anything here needs on a busy machine.
MOST_SECONDS = 20.0


class Host:
    """A sidecar and one connection to it."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        answer = parsed(self.peer.ask(request(op, **fields)))
        # A line that no schema fits is a fault, whatever it says.
        assert schemas.faults(f"{op}.answer" if answer["ok"] else "error.answer", answer) == []
        return answer

    def get(self, key: str, ns: str = "q", **fields: object) -> dict[str, Any]:
        return self.ask("get", ns=ns, key=key, **fields)

    def set(self, key: str, value: object, ns: str = "q", **fields: object) -> dict[str, Any]:
        return self.ask("set", ns=ns, key=key, value=value, **fields)

    def redis(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("stats")["redis"]
        return found

    def until_up(self) -> None:
        until(lambda: self.redis()["state"] == "up")

    def catch_up(self, other: Host) -> None:
        """All that the other host has been answered has been applied here."""
        log = other.redis()["log"]
        until(lambda: self.redis()["log"]["position"] >= log["position"] + log["lag"])


class StartHost(Protocol):
    """Starts a sidecar with more configuration than its Redis."""

    def __call__(self, more: str = "", redis: str = "") -> Host: ...


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
