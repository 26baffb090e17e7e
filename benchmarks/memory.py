"""Measures what an entry takes beyond its key and its value, by the kernel's account and by the daemon's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon import Daemon
from filling import KEY_BYTES, VALUE_BYTES, fill, key_of

if TYPE_CHECKING:
    from figures import Figures

ENTRIES = 1_000_000
# Bytes an entry beyond key and value.
BOUND = 64
PAYLOAD = KEY_BYTES + VALUE_BYTES


def measure(figures: Figures) -> None:
    figures.heading(
        "Memory of an entry", f"{ENTRIES:,} entries with a ttl: keys of {KEY_BYTES} bytes, values of {VALUE_BYTES}."
    )
    with Daemon("512MiB") as daemon, daemon.connect() as link:
        empty = daemon.resident()
        fill(link, "bench", map(key_of, range(ENTRIES)))
        full = daemon.resident()
        stats = link.ask({"op": "stats"})
        namespace = stats["namespaces"]["bench"]
        figures.check("entries held", namespace["entries"] == ENTRIES, f"{namespace['entries']:>11,}")
        figures.figure(
            "resident beyond key and value, since the start", (full - empty) / ENTRIES - PAYLOAD, BOUND, "bytes"
        )
        figures.figure("the same, the process itself counted too", full / ENTRIES - PAYLOAD, unit="bytes")
        figures.figure("by the daemon's account (bytes in stats)", namespace["bytes"] / ENTRIES - PAYLOAD, unit="bytes")
        figures.figure(
            "counted against the limit (memory.used)", stats["memory"]["used"] / ENTRIES - PAYLOAD, unit="bytes"
        )
        figures.figure("resident, empty", empty / (1 << 20), unit="MiB")
        figures.figure("resident, full", full / (1 << 20), unit="MiB")
