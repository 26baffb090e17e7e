"""What the calls of cached functions came to in this process, for each cache name. It knows no keys, and asks nothing.

Threads count without a lock, so that a hit costs no more for being counted: a count may be a few short of the truth.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Counts:
    __slots__ = ("failures", "hits", "loads", "stale", "tokens_avoided", "unanswered")

    def __init__(self) -> None:
        self.hits = 0
        # Runs of the function, for whatever reason, and those of them that raised.
        self.loads = 0
        self.failures = 0
        # Values past their time that were shown in the place of an error.
        self.stale = 0
        # Calls for which there was no sidecar, or which it refused.
        self.unanswered = 0
        self.tokens_avoided = 0


_counts: Final[dict[str, Counts]] = {}


def counts_of(cache_name: str) -> Counts:
    """Those that all functions of this cache name share."""
    return _counts.setdefault(cache_name, Counts())


def counters() -> dict[str, dict[str, int]]:
    """For each cache name `hits`, `loads`, `failures`, `stale`, `unanswered` and `tokens_avoided`, since the process
    began. `hits / (hits + loads)` is the hit rate as functions see it; the sidecar's `stats` tell that of the host.
    """
    return {name: {field: getattr(counts, field) for field in Counts.__slots__} for name, counts in _counts.items()}
