"""What a namespace counts, each under the name that PROTOCOL.md has for it. It decides nothing."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

REASONS: Final[tuple[str, ...]] = ("never_stored", "expired", "evicted", "deleted", "cleared", "unknown")
BOUNDS: Final[tuple[str, ...]] = ("bytes", "entries", "memory")
_LEASES: Final[tuple[str, ...]] = (
    "granted",
    "filled",
    "lost",
    "released",
    "failed",
    "passed",
    "timed_out",
    "revoked",
    "handed_over",
    "held",
)


class Counters:
    """Times in milliseconds."""

    def __init__(self) -> None:
        self.hits = 0
        self.stale_hits = 0
        self.misses: dict[str, int] = dict.fromkeys(REASONS, 0)
        self.sets = 0
        self.deletes = 0
        self.clears = 0
        self.cleared = 0
        self.evictions: dict[str, int] = dict.fromkeys(BOUNDS, 0)
        self.expirations = 0
        self.evicted_age: int | None = None
        self.leases: dict[str, int] = dict.fromkeys(_LEASES, 0)
        self.waits = 0
        self.waiting = 0
        self.waited = 0
        self.load_times: list[int] = []
        self.refreshes = 0

    def copy(self) -> Counters:
        return deepcopy(self)

    def restored(self, before: Counters) -> Counters:
        """As before, since the request comes to nothing; others' waits that it ended stay ended."""
        before.waiting = self.waiting
        before.waited = self.waited
        return before

    def load_time(self, share: float) -> int:
        """That which so many of the loads did not exceed; 0: there was none."""
        if not self.load_times:
            return 0
        ordered = sorted(self.load_times)
        return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]

    @property
    def saved(self) -> int:
        """Hits times the mean time of a load."""
        return self.hits * sum(self.load_times) // len(self.load_times) if self.load_times else 0
