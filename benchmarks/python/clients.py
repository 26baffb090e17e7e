"""Runs all contenders in turns on one processor, and says each one's time as a multiple of the bare socket's."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from contenders import ASYNC, SYNC, Sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKER = Path(__file__).with_name("rounds.py")
BARE = "bare socket"
OURS = "pannier, decorated"
# Odd, so that the median is one of them.
ROUNDS = 15
# Client and server take turns on one: with two, on an idle machine, it is the waking of a processor that is measured.
PROCESSOR = "0"


@dataclass
class Row:
    """What one contender took, in microseconds: each round, and the bare socket's round beside it."""

    kind: str
    name: str
    times: list[float] = field(default_factory=list[float])
    ratios: list[float] = field(default_factory=list[float])

    @property
    def microseconds(self) -> float:
        return median(self.times)

    @property
    def ratio(self) -> float:
        return median(self.ratios)


class _Worker:
    def __init__(self, kind: str, name: str, sockets: Sockets) -> None:
        self.kind = kind
        self.name = name
        places = [sockets.pannier, sockets.redis, sockets.memcached]
        self._process = subprocess.Popen(
            ["taskset", "-c", PROCESSOR, sys.executable, WORKER, kind, name, *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def round(self) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ({self.kind}) has ended")
        found: dict[str, float] = json.loads(answer)
        return found


def measure(sockets: Sockets) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(kind, name, sockets)) for kind, name in _contenders()]
        for turn in range(ROUNDS + 1):
            floor = 0.0
            for worker in workers:
                found = worker.round()
                floor = found["one_by_one"] if worker.name == BARE else floor
                # The first warms up.
                if turn > 0:
                    _note(rows, worker, found, floor)
    return list(rows.values())


def _contenders() -> Iterator[tuple[str, str]]:
    for name in SYNC:
        yield "sync", name
    for kind in ("asyncio", "uvloop"):
        for name in ASYNC:
            yield kind, name


def _note(rows: dict[tuple[str, str], Row], worker: _Worker, found: dict[str, float], floor: float) -> None:
    for figure, microseconds in found.items():
        kind = worker.kind if figure == "one_by_one" else f"{worker.kind}, 32 tasks"
        row = rows.setdefault((kind, worker.name), Row(kind, worker.name))
        row.times.append(microseconds)
        row.ratios.append(microseconds / floor)
