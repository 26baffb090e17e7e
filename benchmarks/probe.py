"""A client in a process of its own that asks one thing over and over and notes how long each answer took, and how much
of that was waiting for a processor. What the delays mean is for whoever started it to say.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event
    from pathlib import Path
    from types import TracebackType

from link import Link
from waits import WaitsForProcessor

# Forked, since nothing else runs in the parent when it is started, and it is at work at once.
PROCESSES = multiprocessing.get_context("fork")
# How many requests go by between two looks at whether to go on.
ROUND = 16
STOP_SECONDS = 30.0


class Sample(NamedTuple):
    """One request; in seconds, `sent` by `time.perf_counter`.

    `waited` is the longer of the two waits for a processor that the daemon and the probe had meanwhile. They may
    overlap, so their sum could be more than the delay itself; the longer one never takes off too much.
    """

    sent: float
    delay: float
    waited: float


class Probe:
    """Asks from when it is entered until `finish`; a context manager. `pause` in seconds lies between two requests."""

    def __init__(self, socket: Path, pid: int, line: bytes, pause: float = 0.0) -> None:
        self._stop: Event = PROCESSES.Event()
        self._results, theirs = PROCESSES.Pipe(duplex=False)
        started: Event = PROCESSES.Event()
        self._started = started
        self._process = PROCESSES.Process(
            target=ask_until, args=(socket, pid, line, pause, started, self._stop, theirs), daemon=True
        )

    def __enter__(self) -> Probe:
        self._process.start()
        if not self._started.wait(STOP_SECONDS):
            raise RuntimeError("the probe got no answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def finish(self) -> list[Sample]:
        self._stop.set()
        if not self._results.poll(STOP_SECONDS):
            raise RuntimeError("the probe has ended without a result")
        numbers = array("d", self._results.recv_bytes())
        return [Sample(*numbers[first : first + 3]) for first in range(0, len(numbers), 3)]


def ask_until(
    socket: Path, pid: int, line: bytes, pause: float, started: Event, stop: Event, results: Connection
) -> None:
    gc.disable()
    numbers = array("d")
    now = time.perf_counter
    daemon, own = WaitsForProcessor(pid), WaitsForProcessor(os.getpid())
    with Link(socket) as link:
        link.exchange(line, 1)
        started.set()
        while not stop.is_set():
            for _ in range(ROUND):
                waits = daemon.seconds(), own.seconds()
                sent = now()
                link.exchange(line, 1)
                delay = now() - sent
                waited = max(daemon.seconds() - waits[0], own.seconds() - waits[1])
                numbers.extend((sent, delay, waited))
                if pause:
                    time.sleep(pause)
    results.send_bytes(numbers.tobytes())
