"""Random requests from four processes at once, and then the books: what the daemon counted is what was asked and
answered, what it says it holds is there, and an emptied cache holds nothing.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from daemon import Daemon
from probe import PROCESSES
from worker import NAMESPACES, Worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from figures import Figures
    from link import Answer, Link

WORKERS = 4
REQUESTS = 1_000_000
MEMORY_MIB = 32
# What the process may take beyond its empty self: the limit on what it caches, and half of it again for the holes that
# values of very different sizes leave, and for lines and answers under way.
RESIDENT_BOUND_MIB = MEMORY_MIB * 1.5
# What it may keep when it is empty again: one chunk of 4 MiB, and what the allocator keeps.
EMPTIED_BOUND_MIB = 8
SETTINGS = """
namespaces:
  entries: {max_entries: 1000}
  bytes: {max_bytes: 2MiB}
  stale: {stale: 10s, ttl: 2s}
"""
# How often its memory is looked at, in seconds.
WATCH_SECONDS = 0.1
# What has expired is removed within about a second; this is for a busy machine.
SETTLE_SECONDS = 30.0


def soak(figures: Figures, share: float) -> None:
    requests = max(100, int(REQUESTS * share) // WORKERS)
    seed = random.randrange(1 << 32)
    figures.heading(f"{requests * WORKERS:,} random requests from {WORKERS} processes", f"seed {seed}")
    with Daemon(f"{MEMORY_MIB}MiB", configuration=SETTINGS) as daemon, daemon.connect() as link:
        empty = daemon.resident()
        unused = link.ask({"op": "stats"})["memory"]["used"]
        began = time.monotonic()
        told, highest = drive(daemon, requests, seed)
        figures.figure("requests a second", round(requests * WORKERS / (time.monotonic() - began)))
        figures.figure("resident, highest, beyond empty", (highest - empty) / (1 << 20), RESIDENT_BOUND_MIB, "MiB")
        check_counters(figures, link.ask({"op": "stats"}), told)
        check_contents(figures, link)
        check_emptied(figures, link, unused)
        figures.figure("resident afterwards, beyond empty", settled(daemon, empty), EMPTIED_BOUND_MIB, "MiB")


def drive(daemon: Daemon, requests: int, seed: int) -> tuple[Counter[str], int]:
    """What the workers counted, and the most memory that the daemon took meanwhile."""
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(WORKERS)]
    processes = [
        PROCESSES.Process(target=work, args=(daemon.socket, number, seed, requests, theirs), daemon=True)
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    told: Counter[str] = Counter()
    highest = 0
    for (ours, _), process in zip(pipes, processes, strict=True):
        while not ours.poll(WATCH_SECONDS):
            highest = max(highest, daemon.resident())
            if process.exitcode:
                raise RuntimeError("a worker found something wrong")
        told += ours.recv()
        process.join()
    return told, highest


def work(socket: Path, number: int, seed: int, requests: int, results: Connection) -> None:
    results.send(Worker(socket, number, seed + number).run(requests))


def settled(daemon: Daemon, empty: int) -> float:
    """Memory beyond empty in MiB, when what was freed has been given back: the daemon does so in slices."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (beyond := (daemon.resident() - empty) / (1 << 20)) > EMPTIED_BOUND_MIB and time.monotonic() < deadline:
        time.sleep(WATCH_SECONDS)
    return beyond


def check_counters(figures: Figures, stats: Answer, told: Counter[str]) -> None:
    wrong: list[str] = []

    def expect(name: str, counted: int, expected: int) -> None:
        if counted != expected:
            wrong.append(f"{name} is {counted:,}, not {expected:,}")

    for op in ("get", "set", "delete", "touch", "exists", "keys", "explain", "clear"):
        expect(f"requests.{op}", stats["requests"][op], told[op])
    expect("errors", sum(stats["errors"].values()), 0)
    for name in NAMESPACES:
        counters = stats["namespaces"][name]
        expect(f"{name}: hits", counters["hits"], told[f"{name} hits"])
        expect(f"{name}: hits and misses", counters["hits"] + counters["misses"], told[f"{name} asked"])
        expect(f"{name}: misses_by", sum(counters["misses_by"].values()), counters["misses"])
        expect(f"{name}: sets", counters["sets"], told[f"{name} sets"])
        expect(f"{name}: deletes", counters["deletes"], told[f"{name} deletes"])
    figures.check("counters agree with what was asked and answered", not wrong, "; ".join(wrong) or "all")
    shown = ("sets", "hits", "misses", "deletes", "cleared", "expirations")
    for name in NAMESPACES:
        counters = stats["namespaces"][name]
        evictions = sum(counters["evictions"].values())
        counts = ", ".join(f"{field} {counters[field]:,}" for field in shown)
        figures.note(f"  {name}: {counts}, evictions {evictions:,}, entries {counters['entries']:,}")


def check_contents(figures: Figures, link: Link) -> None:
    """As many keys are listed as there are entries, once what has expired is gone."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        listed = {name: len(all_keys(link, name)) for name in NAMESPACES}
        held = entries(link)
        if listed == held or time.monotonic() > deadline:
            break
        time.sleep(WATCH_SECONDS)
    figures.check("keys listed are the entries held", listed == held, f"{sum(held.values()):>11,} of {held}")


def all_keys(link: Link, name: str) -> set[str]:
    keys: list[str] = []
    after: Answer = {}
    while True:
        answer = link.ask({"op": "keys", "ns": name, "limit": 1000, **after})
        keys += answer["keys"]
        if "next" not in answer:
            break
        after = {"after": answer["next"]}
    if len(set(keys)) != len(keys):
        raise RuntimeError(f"keys of {name} came twice")
    return set(keys)


def entries(link: Link) -> dict[str, int]:
    stats = link.ask({"op": "stats"})
    return {name: stats["namespaces"][name]["entries"] for name in NAMESPACES}


def check_emptied(figures: Figures, link: Link, unused: int) -> None:
    link.ask({"op": "clear", "ns": "*"})
    stats = link.ask({"op": "stats"})
    left = {name: (counters["entries"], counters["bytes"]) for name, counters in stats["namespaces"].items()}
    figures.check("entries and bytes after clear *", set(left.values()) == {(0, 0)}, f"{left}")
    figures.figure("memory.used after clear *, beyond unused", (stats["memory"]["used"] - unused) / 1024, unit="KiB")
