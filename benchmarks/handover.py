"""Measures how soon the next of 100 waiters is elected when the process that loads their key is killed."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile

if TYPE_CHECKING:
    from figures import Figures
    from link import Link

ROUNDS = 20
WAITERS = 100
# Milliseconds from kill -9 to the answer that hands the lease over; half of the rounds may take longer.
BOUND = 5.0
# Far beyond what an election takes.
LONGEST_SECONDS = 30.0


def measure(figures: Figures) -> None:
    figures.heading(
        "Hand-over of a lease",
        f"The process that loads a key is ended by kill -9 while {WAITERS} connections wait for it, {ROUNDS} times.",
    )
    with Daemon() as daemon:
        times = [1000 * run(daemon, f"key-{number}") for number in range(ROUNDS)]
        with daemon.connect() as link:
            leases = link.ask({"op": "stats", "ns": "bench"})["namespaces"]["bench"]["leases"]
    figures.check("elected by a kill, once in each round", leases["handed_over"] == ROUNDS, f"{leases['handed_over']}")
    figures.figure("from the kill to the next one's answer, median", quantile(times, 0.5), BOUND, "ms")
    figures.figure("the longest", max(times), unit="ms")


def run(daemon: Daemon, key: str) -> float:
    """Seconds from the kill to the answer of the one who is elected, the first who came."""
    wanted = f'{{"op":"get","ns":"bench","key":"{key}","lease":true,"wait":30}}\n'.encode()
    with ExitStack() as open_ones:
        holder = open_ones.enter_context(loading(daemon, wanted))
        waiters = [open_ones.enter_context(daemon.connect()) for _ in range(WAITERS)]
        for link in waiters:
            link.send(wanted)
        observer = open_ones.enter_context(daemon.connect())
        wait_for_waiters(observer, key)
        began = time.perf_counter()
        holder.send_signal(signal.SIGKILL)
        ready, _, _ = select.select(waiters, [], [], LONGEST_SECONDS)
        seconds = time.perf_counter() - began
        if len(ready) != 1:
            raise RuntimeError(f"{len(ready)} of {WAITERS} were answered, and one should be")
        elected = ready[0]
        token = json.loads(elected.receive(1))["lease"]
        # Nothing is handed over when they go.
        elected.ask({"op": "set", "ns": "bench", "key": key, "lease": token, "value": 1})
        for link in waiters:
            if link is not elected and link.receive(1) != b'{"ok":true,"hit":true,"value":1}\n':
                raise RuntimeError("not answered by the fill")
    return seconds


def loading(daemon: Daemon, wanted: bytes) -> subprocess.Popen[bytes]:
    """A process that has been elected to load a key, and does nothing more."""
    holder = subprocess.Popen(
        ["socat", "-", f"UNIX-CONNECT:{daemon.socket}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if holder.stdin is None or holder.stdout is None:
        raise RuntimeError("no pipes")
    holder.stdin.write(wanted)
    holder.stdin.flush()
    answer = holder.stdout.readline()
    if b'"lease":' not in answer:
        raise RuntimeError(f"not elected: {answer!r}")
    return holder


def wait_for_waiters(observer: Link, key: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while observer.ask({"op": "explain", "ns": "bench", "key": key})["lease"]["waiting"] < WAITERS:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{WAITERS} have asked, and fewer wait")
