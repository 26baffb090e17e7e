"""Counts the instructions that one `get` hit costs the daemon, the same to about two in a thousand however busy the
machine is.

The daemon runs once, under callgrind, which is told to write down its count and to begin anew after each batch. A case
is measured by two batches, of N requests and of 3 N, and its figure is their difference over 2 N: so what a batch costs
besides its requests falls out.

A case asks for some hundred keys in turn. What one key costs depends on where it stands in its bucket, and that on the
seed, which is new at each start: by as much as 60 instructions.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import BINARY, Daemon
from filling import fill, key_of

if TYPE_CHECKING:
    from figures import Figures
    from link import Link

# The shorter batch; a multiple of the requests in a pipeline and of the keys asked in turn.
BATCH = 1600
KEYS_IN_TURN = 400
PIPELINE = 16
KEYS = 100_000
NAMESPACE = "bench"
# By the number of requests that arrive together: what the plainest request may cost, and what any variant of it may.
BOUNDS = {1: (3000, 3300), PIPELINE: (2000, 2200)}
# The same order of the random keys in each run.
SEED = 20
DUMP_SECONDS = 60.0


@dataclass(frozen=True)
class Case:
    """One way to ask: `line` has places for the id and the key, the keys are taken in turn."""

    name: str
    line: str
    keys: list[str]


def measure(figures: Figures) -> None:
    figures.heading(
        "Instructions of one get hit",
        "Value of 100 bytes, 100,000 entries; in per cent: the difference to the first of its kind.",
    )
    cases = all_cases()
    with tempfile.TemporaryDirectory(prefix="pannier-bench-") as folder:
        counter = Counter(Path(folder))
        with Daemon(binary=counter.stripped_binary(), under=counter.command) as daemon, daemon.connect() as link:
            fill(link, NAMESPACE, {key for case in cases for key in case.keys})
            for together, (bound, bound_of_variants) in BOUNDS.items():
                base = 0.0
                for case in cases:
                    writes = requests(case, together)
                    cost = counter.per_request(daemon.pid, link, writes, together)
                    name = f"{'one a round trip' if together == 1 else f'{together} pipelined'}: {case.name}"
                    if base:
                        change = f"{100 * (cost / base - 1):+.1f} %"
                        figures.figure(name, round(cost), bound_of_variants, more=change)
                    else:
                        figures.figure(name, round(cost), bound)
                        base = cost


def all_cases() -> list[Case]:
    """The first is the one that the others are compared with."""
    plain = '{"op":"get","ns":"bench","key":"KEY"}'
    keys = [key_of(number) for number in range(KEYS)]
    random.Random(SEED).shuffle(keys)
    key = keys[:KEYS_IN_TURN]
    return [
        Case("op, ns, key of 16 bytes", plain, key),
        Case("key, ns, op", '{"key":"KEY","ns":"bench","op":"get"}', key),
        Case("ns, key, op", '{"ns":"bench","key":"KEY","op":"get"}', key),
        Case("integer id", '{"id":ID,"op":"get","ns":"bench","key":"KEY"}', key),
        Case("string id", '{"id":"ID","op":"get","ns":"bench","key":"KEY"}', key),
        Case("integer id, last", '{"op":"get","ns":"bench","key":"KEY","id":ID}', key),
        Case("lease, wait", '{"op":"get","ns":"bench","key":"KEY","lease":true,"wait":30}', key),
        *(Case(f"key of {size} bytes", plain, keys_of(size)) for size in (10, 50, 200)),
        Case("100,000 keys at random", plain, keys),
    ]


def keys_of(size: int) -> list[str]:
    return [f"{number:04}-".ljust(size, "k") for number in range(KEYS_IN_TURN)]


def requests(case: Case, together: int) -> list[bytes]:
    """The writes that make up 3 N requests, made beforehand."""
    lines: list[bytes] = []
    for number in range(3 * BATCH):
        line = case.line.replace("ID", str(100_000 + number)).replace("KEY", case.keys[number % len(case.keys)])
        lines.append(line.encode() + b"\n")
    return [b"".join(lines[first : first + together]) for first in range(0, len(lines), together)]


class Counter:
    """Callgrind, and what it writes down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._out = folder / "count"
        self.command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={self._out}"]
        self._dumps = 0

    def stripped_binary(self) -> Path:
        """Valgrind 3.19 stops on the debug information that Swift writes."""
        copy = self._folder / "pannier"
        shutil.copy(BINARY, copy)
        subprocess.run(["strip", copy], check=True)
        return copy

    def per_request(self, pid: int, link: Link, writes: list[bytes], together: int) -> float:
        short = len(writes) // 3
        # Once unmeasured, so that nothing is done for the first time.
        send(link, writes[:short], together)
        self._take(pid)
        send(link, writes[:short], together)
        cost_of_short = self._take(pid)
        send(link, writes, together)
        cost_of_long = self._take(pid)
        return (cost_of_long - cost_of_short) / ((len(writes) - short) * together)

    def _take(self, pid: int) -> int:
        """The instructions since the last time."""
        subprocess.run(["vgdb", f"--pid={pid}", "dump"], check=True, capture_output=True, timeout=DUMP_SECONDS)
        self._dumps += 1
        file = self._out.with_name(f"{self._out.name}.{self._dumps}")
        totals = re.search(r"^totals: (\d+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        if totals is None:
            raise RuntimeError(f"callgrind wrote no total to {file}")
        file.unlink()
        return int(totals[1])


def send(link: Link, writes: list[bytes], together: int) -> None:
    for write in writes:
        answers = link.exchange(write, together)
        if answers.count(b'"hit":true') != together:
            raise RuntimeError(f"not every answer is a hit: {answers[:200]!r}")
