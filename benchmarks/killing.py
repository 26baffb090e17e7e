"""Kills the daemon in the midst of work and starts it again, over and over: a dead one's socket is never in the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile
from filling import VALUE, key_of

if TYPE_CHECKING:
    from figures import Figures

ROUNDS = 1000
# What is on its way when the daemon dies.
UNDER_WAY = "".join(
    f'{{"op":"set","ns":"soak","key":"{key_of(number)}","value":{VALUE}}}\n' for number in range(200)
).encode()


def soak(figures: Figures, share: float) -> None:
    rounds = max(1, int(ROUNDS * share))
    figures.heading(f"kill -9 and start again, {rounds:,} times")
    times: list[float] = []
    with Daemon() as daemon:
        files = {file.name for file in daemon.folder.iterdir()}
        descriptors = daemon.descriptors()
        for number in range(rounds):
            with daemon.connect() as link:
                if link.ask({"op": "get", "ns": "soak", "key": key_of(0)})["hit"]:
                    raise RuntimeError("a new process has an old value")
                link.ask({"op": "set", "ns": "soak", "key": key_of(0), "value": number})
                if link.ask({"op": "get", "ns": "soak", "key": key_of(0)})["value"] != number:
                    raise RuntimeError("what was stored is not what came back")
                link.send(UNDER_WAY)
                daemon.kill()
            began = time.monotonic()
            daemon.start()
            times.append(1000 * (time.monotonic() - began))
        left = {file.name for file in daemon.folder.iterdir()} - files
        figures.check("files left behind", not left, ", ".join(sorted(left)) or "none")
        figures.check("descriptors open, as after the first start", daemon.descriptors() == descriptors, "same")
    figures.figure("from the start to the first answer, median", quantile(times, 0.5), unit="ms")
    figures.figure("the longest", max(times), unit="ms")
