"""Times the Swift client, as the program in `swift` does it, on a sidecar: on one processor, and with many tasks."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import ROOT, Daemon

if TYPE_CHECKING:
    from figures import Figures

PROGRAM = ROOT / "benchmarks" / "swift" / ".build" / "release" / "bench"
# A hit left as JSON, in bare round trips by NIO.
RAW_BOUND = 1.5
# A typed hit, in raw hits and what the decoder takes by itself.
TYPED_BOUND = 1.2
# Raw hits a second of 64 tasks, on as many processors as there are.
RATE_BOUND = 150_000
SECONDS = 300.0


def measure(figures: Figures) -> None:
    figures.heading(
        "The Swift client", "One request at a time, client and sidecar on one processor; medians of rounds in turns."
    )
    times = _run("taskset", "--cpu-list", "0")
    bare, raw, typed, decoder = (times[name] / 1000 for name in ("bare", "raw", "typed", "decoder"))
    figures.figure("a bare round trip by NIO", bare, unit="µs")
    figures.figure("a raw hit", raw, unit="µs")
    figures.figure("a raw hit, in bare round trips", raw / bare, RAW_BOUND, "x")
    figures.figure("a typed hit", typed, unit="µs")
    figures.figure("JSONDecoder alone, of the same value", decoder, unit="µs")
    figures.figure("a typed hit, in raw hits and decoders", typed / (raw + decoder), TYPED_BOUND, "x")
    rates = _run()
    raw_rate, typed_rate = rates["raw64"], rates["typed64"]
    figures.check(
        "64 tasks, raw hits a second", raw_rate >= RATE_BOUND, f"{raw_rate:>11,.0f}         (bound {RATE_BOUND:,})"
    )
    figures.figure("64 tasks, typed hits a second", typed_rate)


def _run(*under: str) -> dict[str, float]:
    """`under`: what both run under; with nothing the many tasks are timed as well."""
    with tempfile.TemporaryDirectory(prefix="pannier-bench-") as folder, Daemon(under=under) as daemon:
        command = [*under, str(PROGRAM), str(daemon.socket), *([] if under else ["many"])]
        said = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, timeout=SECONDS, cwd=Path(folder)
        ).stdout
    return {name: float(value) for name, value in (line.split() for line in said.splitlines())}
