"""Measures how long others wait while a clear by glob goes through 1,000,000 entries, and whether it counts exactly.

What the bound holds for is the delay less the time that the daemon or the client stood in line for a processor, which
is the machine's doing; the whole delay is printed too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile
from filling import fill, key_of
from probe import Probe

if TYPE_CHECKING:
    from figures import Figures
    from link import Link
    from probe import Sample

ENTRIES = 1_000_000
# Milliseconds that a clear may add to what another request waits.
BOUND = 5.0
# The best of so many runs counts: a pause of the machine is not the clear's.
RUNS = 3
# Seconds for which requests are timed before the clear.
QUIET_SECONDS = 1.0
# What the clears match, and how many entries that is; both look at all of them.
GLOBS = {"all": ("key-*", ENTRIES), "half": ("*[02468]", ENTRIES // 2)}
# Asked meanwhile: a hit in a namespace that isn't cleared.
REQUEST = b'{"op":"get","ns":"other","key":"key-000000000000"}\n'


def measure(figures: Figures) -> None:
    figures.heading(
        f"Delay of other requests by a clear of a glob over {ENTRIES:,} entries",
        "A second process asks for a hit over and over; delays in ms, without waits for a processor; in brackets the\n"
        f"longest with them. The best of {RUNS} runs counts.",
    )
    with Daemon("512MiB") as daemon, daemon.connect() as link:
        fill(link, "other", [key_of(0)])
        for name, (glob, count) in GLOBS.items():
            runs = [run(figures, link, daemon, glob, count) for _ in range(RUNS)]
            figures.figure(f"longest extra delay, glob that fits {name}", min(own for own, _ in runs), BOUND, "ms")
            figures.figure("the same with waits for a processor", min(whole for _, whole in runs), unit="ms")


def run(figures: Figures, link: Link, daemon: Daemon, glob: str, count: int) -> tuple[float, float]:
    """The longest delay during the clear, beyond the median before it, without and with waits; in milliseconds."""
    fill(link, "bench", map(key_of, range(ENTRIES)))
    with Probe(daemon.socket, daemon.pid, REQUEST) as probe:
        time.sleep(QUIET_SECONDS)
        began = time.perf_counter()
        cleared = link.ask({"op": "clear", "ns": "bench", "match": glob})["cleared"]
        ended = time.perf_counter()
        samples = probe.finish()
    before = [sample for sample in samples if sample.sent + sample.delay < began]
    during = [sample for sample in samples if sample.sent + sample.delay >= began and sample.sent <= ended]
    figures.note(f"{glob}: before {spread(before)}; during {spread(during)}; it took {1000 * (ended - began):.0f} ms")
    figures.check(f"cleared, of {ENTRIES:,}", cleared == count, f"{cleared:>11,}")
    usual = quantile([sample.delay for sample in before], 0.5)
    own = max(sample.delay - sample.waited for sample in during)
    whole = max(sample.delay for sample in during)
    return 1000 * (own - usual), 1000 * (whole - usual)


def spread(samples: list[Sample]) -> str:
    own = [1000 * (sample.delay - sample.waited) for sample in samples]
    whole = 1000 * max(sample.delay for sample in samples)
    return (
        f"p50 {quantile(own, 0.5):.3f} p99 {quantile(own, 0.99):.3f} max {max(own):.2f} [{whole:.2f}] "
        f"({len(samples):,} requests)"
    )
