"""Gets a second, for scale. The drivers are in Python and need more time for a request than the daemon does, so the
rate is theirs; what the daemon needs is told by the processor time it took.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import Daemon
from filling import fill, key_of
from link import Link
from probe import PROCESSES

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from figures import Figures

SECONDS = 3.0
WAIT_SECONDS = 30.0
DRIVERS = 2
KEYS = 10_000
LINE = '{{"op":"get","ns":"bench","key":"{}"}}\n'
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def measure(figures: Figures) -> None:
    figures.heading("Throughput", "For scale: what limits it is the drivers, Python processes on the same processors.")
    with Daemon() as daemon:
        with daemon.connect() as link:
            fill(link, "bench", map(key_of, range(KEYS)))
        for connections, drivers in ((1, 1), (50, DRIVERS)):
            for together in (1, 16):
                rate, processor = run(daemon, connections, drivers, together)
                figures.figure(
                    f"{connections} connection{'s' * (connections > 1)}, {together} at a time",
                    round(rate),
                    unit="gets/s",
                    more=f"the daemon took {1e6 * processor:.1f} µs of processor time a get",
                )


def run(daemon: Daemon, connections: int, drivers: int, together: int) -> tuple[float, float]:
    """Gets a second, and the daemon's processor time for one, in seconds."""
    ready = PROCESSES.Barrier(drivers + 1)
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(drivers)]
    processes = [
        PROCESSES.Process(
            target=drive, args=(daemon.socket, connections // drivers, together, ready, theirs), daemon=True
        )
        for _, theirs in pipes
    ]
    for process in processes:
        process.start()
    ready.wait(WAIT_SECONDS)
    before = processor_seconds(daemon.pid)
    results: list[tuple[int, float]] = [ours.recv() for ours, _ in pipes]
    used = processor_seconds(daemon.pid) - before
    for process in processes:
        process.join()
    return sum(count / seconds for count, seconds in results), used / sum(count for count, _ in results)


def drive(socket: Path, connections: int, together: int, ready: Barrier, results: Connection) -> None:
    """Asks on all its connections, then reads all the answers, over and over: so each has a request under way."""
    links = [Link(socket) for _ in range(connections)]
    lines = [LINE.format(key_of(number)).encode() for number in range(KEYS)]
    writes = [b"".join(lines[first : first + together]) for first in range(0, KEYS - together, together)]
    ready.wait(WAIT_SECONDS)
    count = 0
    began = time.perf_counter()
    while (seconds := time.perf_counter() - began) < SECONDS:
        write = writes[count // together % len(writes)]
        for link in links:
            link.send(write)
        for link in links:
            link.receive(together)
        count += together * connections
    results.send((count, seconds))


def processor_seconds(pid: int) -> float:
    # The command's name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field after it.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
