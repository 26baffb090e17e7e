"""Looks for pauses while the table grows to 4,000,000 entries.

A pause that growing makes comes at the same number of entries whenever the same fill is done; one that the machine
makes comes anywhere. So the same fill is done several times, every write of it is timed, and of each write the shortest
time counts: what is left is what the daemon needs there. A write has 16 sets, so a pause of one set is in it in full.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile
from filling import VALUE, key_of
from probe import Probe

if TYPE_CHECKING:
    from figures import Figures
    from link import Link

ENTRIES = 4_000_000
TOGETHER = 16
# Milliseconds: what a set may take longer because the table grows.
BOUND = 1.0
# A machine that others use too makes a pause or two in each fill.
FEWEST_FILLS = 2
MOST_FILLS = 5
PING = b'{"op":"ping"}\n'
# Seconds between two pings: a second client that doesn't take a whole processor from what is measured.
PING_PAUSE = 0.0002


def measure(figures: Figures) -> None:
    figures.heading(
        "Pauses while the table grows",
        f"{ENTRIES:,} entries, {TOGETHER} sets in each write. loop_delay is the daemon's own figure of its turns. It,\n"
        "the pings of a second client, and any single fill contain whatever else the machine did meanwhile.",
    )
    least: list[float] = []
    for number in range(1, MOST_FILLS + 1):
        with (
            Daemon("1GiB") as daemon,
            daemon.connect() as link,
            Probe(daemon.socket, daemon.pid, PING, PING_PAUSE) as probe,
        ):
            writes = timed_fill(link)
            pings = [1000 * sample.delay for sample in probe.finish()]
            stats = link.ask({"op": "stats"})
        entries = stats["namespaces"]["bench"]["entries"]
        if entries != ENTRIES:
            raise RuntimeError(f"{entries} entries are there of {ENTRIES}")
        least = [min(pair) for pair in zip(least, writes, strict=True)] if least else writes
        loop = {name: 1000 * seconds for name, seconds in stats["loop_delay"].items()}
        figures.note(
            f"fill {number}: writes {spread(writes)}; pings {spread(pings)}; "
            f"loop_delay p50 {loop['p50']:.3f}, p99 {loop['p99']:.3f}, max {loop['max']:.2f} ms"
        )
        if number >= FEWEST_FILLS and max(least) <= BOUND:
            break
    figures.figure("longest write, the shortest of all fills counting", max(least), BOUND, "ms")
    figures.figure(f"writes above {BOUND:g} ms in every fill", sum(time > BOUND for time in least))


def timed_fill(link: Link) -> list[float]:
    """How long each write took to be answered, in milliseconds."""
    times: list[float] = []
    now = time.perf_counter
    gc.disable()
    for first in range(0, ENTRIES, TOGETHER):
        write = "".join(
            f'{{"op":"set","ns":"bench","key":"{key_of(number)}","ttl":3600,"value":{VALUE}}}\n'
            for number in range(first, first + TOGETHER)
        ).encode()
        began = now()
        link.exchange(write, TOGETHER)
        times.append(1000 * (now() - began))
    gc.enable()
    return times


def spread(milliseconds: list[float]) -> str:
    above = sum(time > BOUND for time in milliseconds)
    return (
        f"p50 {quantile(milliseconds, 0.5):.3f}, p99 {quantile(milliseconds, 0.99):.3f}, "
        f"max {max(milliseconds):.2f} ms, {above} of {len(milliseconds):,} above {BOUND:g} ms"
    )
