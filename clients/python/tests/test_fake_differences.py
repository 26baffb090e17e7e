"""The fake and the real sidecar give the same answers, and tell of the same events, whatever they are asked."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from fake_peer import FakePeer
from hypothesis import HealthCheck, given, settings
from random_requests import LEASE, STEPS, VERSION, Leave, Pass, Step

from daemon import Daemon
from pannier.testing._sidecar import Sidecar
from talk import PING, PONG, parsed, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer

# In the normal run the same ones each time; with PANNIER_EXAMPLES so many others.
EXAMPLES = os.environ.get("PANNIER_EXAMPLES")


class Side:
    """One of the two: its connections, and what it calls leases and versions."""

    def __init__(self, connect: Callable[[], Peer]) -> None:
        self._connect = connect
        self._control = connect()
        self._peers: dict[str, Peer] = {}
        self._leases: list[str] = []
        self._versions: list[int] = []
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
            self._peers[step.connection].send(self._said(step.line))
        return self._heard()

    def _leave(self, connection: str) -> None:
        peer = self._peers.pop(connection, None)
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
        """With this side's own names for what the step names by its place."""
        line = re.sub(rf"{LEASE}(\d)", lambda found: (self._leases[int(found[1]) :] or ["none"])[0], line)
        return re.sub(rf"\b{VERSION // 10}(\d)\b", lambda found: str((self._versions[int(found[1]) :] or [1])[0]), line)

    def _heard(self) -> dict[str, Any]:
        # What was said before has been read with the first at the latest, and is answered by the second.
        assert [self._control.ask(PING) for _ in range(2)] == [PONG, PONG]
        heard: dict[str, Any] = {}
        for connection, peer in self._peers.items():
            lines: list[str] = []
            while (line := peer.available()) is not None:
                lines.append(self._plain(line))
            # What happens in one instant has no order.
            heard[connection] = Counter(lines) if connection == "W" else lines
        return heard

    def _plain(self, line: str) -> str:
        """Without what each side may have its own way."""
        for token in re.findall(r'"lease":"([0-9a-f]{32})"', line):
            if token not in self._leases:
                self._leases.append(token)
            line = line.replace(token, f"{LEASE}{self._leases.index(token)}")
        for version in map(int, re.findall(r'"version":(\d+),', line)):
            if version not in self._versions:
                self._versions.append(version)
            line = line.replace(f'"version":{version},', f'"version":#{self._versions.index(version)},')
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
    max_examples=int(EXAMPLES or 25),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=STEPS)
def test_no_difference(steps: list[Step]) -> None:
    sidecar = Sidecar({"defaults": {"jitter": 0}})
    with Daemon("defaults: {jitter: 0}") as daemon:
        real, fake = Side(daemon.connect), Side(lambda: FakePeer(sidecar))
        try:
            for step in steps:
                assert fake.take(step) == real.take(step), step
        finally:
            real.close()
