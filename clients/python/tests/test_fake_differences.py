"""The fake and the real sidecar give the same answers, and tell of the same events, whatever they are asked."""

from __future__ import annotations

import json
import os
import re
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

from fake_peer import FakePeer
from hypothesis import HealthCheck, Phase, given, settings
from random_requests import DEFAULTS, LEASE, STEPS, VERSION, Leave, Pass, Step

from daemon import Daemon
from pannier.testing._sidecar import Sidecar
from talk import PING, PONG, parsed, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer

# In the normal run the same ones each time, and what fails is shown as it is; with PANNIER_EXAMPLES so many others, and
# what fails is made shorter, which takes minutes.
EXAMPLES = os.environ.get("PANNIER_EXAMPLES")


class Side:
    """One of the two: its connections, and what it calls leases and versions."""

    def __init__(self, connect: Callable[[], Peer]) -> None:
        self._connect = connect
        self._control = connect()
        self._peers: dict[str, Peer] = {}
        # By connection and id; those without one are answered in their order.
        self._asked: defaultdict[tuple[str, object], deque[str]] = defaultdict(deque)
        self._leases: dict[tuple[str, str], str] = {}
        self._versions: dict[tuple[str, str], int] = {}
        # Those told of, in their order: on both sides the same place is the same one.
        self._order: list[str] = []
        watcher = self._peers["W"] = connect()
        watcher.ask(request("watch"))

    def close(self) -> None:
        for peer in [*self._peers.values(), self._control]:
            peer.close()

    def take(self, step: Step) -> dict[str, Any]:
        """What is heard of it, by connection."""
        if isinstance(step, Pass):
            assert self._control.ask(f'{{"op":"advance","seconds":{step.seconds}}}') == PONG
        elif isinstance(step, Leave):
            self._leave(step.connection)
        else:
            if step.connection not in self._peers:
                self._peers[step.connection] = self._connect()
                # It has been taken up, too: what is said on others later is read later.
                assert self._peers[step.connection].ask(PING) == PONG
            said = self._said(step.line)
            self._asked[step.connection, parsed(said).get("id")].append(said)
            self._peers[step.connection].send(said)
        return self._heard()

    def _leave(self, connection: str) -> None:
        peer = self._peers.pop(connection, None)
        for place in [place for place in self._asked if place[0] == connection]:
            del self._asked[place]
        if peer is None:
            return
        before = self._connections()
        peer.close()
        # Its end isn't answered.
        while self._connections() == before:
            pass

    def _connections(self) -> int:
        count: int = parsed(self._control.ask(request("stats", ns="none")))["connections"]
        return count

    def _said(self, line: str) -> str:
        """With this side's own for what the step can't name."""
        asked = parsed(line)
        for part in [asked, *(asked["items"] if isinstance(asked.get("items"), list) else [])]:
            if not isinstance(part, dict):
                continue
            place = str(asked.get("ns")), str(part.get("key"))
            version = self._versions.get(place, 1)
            if part.get("lease") == LEASE:
                part["lease"] = self._leases.get(place, "none")
            if part.get("unless") == VERSION:
                part["unless"] = version
            if part.get("if") == {"version": VERSION}:
                part["if"] = {"version": version}
        return json.dumps(asked, ensure_ascii=False, separators=(",", ":"))

    def _learn(self, asked: str, line: str) -> None:
        """What is told of keys: the leases on them, and their versions."""
        request, answer = parsed(asked), parsed(line)
        told = zip(request["keys"], answer["items"], strict=True) if "items" in answer and "keys" in request else []
        for key, found in [(request.get("key"), answer), *told]:
            place = str(request.get("ns")), str(key)
            if isinstance(found.get("lease"), str):
                self._leases[place] = found["lease"]
            if "version" in found:
                self._versions[place] = found["version"]

    def _heard(self) -> dict[str, Any]:
        # What was said before has been read with the first at the latest, and is answered by the second.
        assert [self._control.ask(PING) for _ in range(2)] == [PONG, PONG]
        heard: dict[str, Any] = {}
        for connection, peer in self._peers.items():
            lines: list[str] = []
            while (line := peer.available()) is not None:
                if connection != "W":
                    self._learn(self._asked[connection, parsed(line).get("id")].popleft(), line)
                lines.append(self._plain(line))
            # What has an id, or happens in one instant, has no order.
            is_free = [connection == "W" or line.startswith('{"id"') for line in lines]
            heard[connection] = (
                [line for line, free in zip(lines, is_free, strict=True) if not free],
                Counter(line for line, free in zip(lines, is_free, strict=True) if free),
            )
        return heard

    def _plain(self, line: str) -> str:
        """Without what each side may have its own way."""
        for own in re.findall(r'"lease":("[0-9a-f]{32}")|"version":(\d+),', line):
            text = own[0] or f'"version":{own[1]},'
            if text not in self._order:
                self._order.append(text)
            line = line.replace(text, f"#{self._order.index(text)}")
        if '"namespaces":' in line:
            namespaces: dict[str, Any] = json.loads(line)["namespaces"]
            for counters in namespaces.values():
                del counters["bytes"], counters["loads"]["p50"], counters["loads"]["p99"]
            return json.dumps(namespaces)
        if '"bad_json"' in line:
            return line.partition('"message"')[0]
        for listed in re.findall(r'"(?:keys|sample)":\[(.*?)\]', line):
            line = line.replace(listed, ",".join(sorted(listed.split(","))))
        return line


@settings(
    max_examples=int(EXAMPLES or 20),
    derandomize=EXAMPLES is None,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=STEPS, defaults=DEFAULTS)
def test_no_difference(steps: list[Step], defaults: dict[str, Any]) -> None:
    sidecar = Sidecar({"defaults": defaults})
    # JSON is YAML, too.
    with Daemon(f"defaults: {json.dumps(defaults)}") as daemon:
        real, fake = Side(daemon.connect), Side(lambda: FakePeer(sidecar))
        try:
            for step in steps:
                assert fake.take(step) == real.take(step), step
        finally:
            real.close()
