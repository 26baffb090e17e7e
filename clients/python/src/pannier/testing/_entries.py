"""The values of a namespace, and why those are gone that are. It is told the time, and knows nothing of leases."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from ._counters import Counters

if TYPE_CHECKING:
    from ._events import Log
    from ._policy import Policy

# A time that never comes.
NEVER: Final = 1 << 60
# What an entry takes beyond its key, value and tags: about as much as the sidecar's.
_OVERHEAD: Final = 64


class Caller(NamedTuple):
    pid: int
    uid: int


class Entry:
    """Times in milliseconds: it is fresh before `fresh_until`, and may be shown as stale before `end`."""

    __slots__ = ("by", "end", "fresh_until", "key", "stored_at", "tags", "value", "version")

    def __init__(self, key: str, value: bytes, tags: list[str], stored_at: int, version: int, by: Caller) -> None:
        self.key = key
        self.value = value
        self.tags = tags
        self.stored_at = stored_at
        self.version = version
        self.by = by
        self.fresh_until = NEVER
        self.end = NEVER

    def live(self, now: int, ttl: int | None, stale: int) -> None:
        """Its life begins now."""
        self.fresh_until = NEVER if ttl is None else now + ttl
        self.end = NEVER if ttl is None else now + ttl + stale

    def soften(self, end: int) -> None:
        self.fresh_until = 0
        self.end = min(self.end, end)

    @property
    def cost(self) -> int:
        return cost_of(self.key, self.value, self.tags)


def cost_of(key: str, value: bytes, tags: list[str]) -> int:
    return _OVERHEAD + len(key.encode()) + len(value) + sum(len(tag.encode()) for tag in tags)


class Gone(NamedTuple):
    """`pid`: who saw to it; None: nobody did. `match` and `tag`: of the clear that did."""

    reason: str
    at: int
    pid: int | None = None
    match: str | None = None
    tag: str | None = None


NEVER_STORED: Final = Gone("never_stored", 0)


class Namespace:
    def __init__(self, name: str, policy: Policy, log: Log) -> None:
        self.name = name
        self.policy = policy
        self.counters = Counters()
        # The least recently used first.
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self._gone: dict[str, Gone] = {}
        self._log = log

    @property
    def bytes(self) -> int:
        return sum(entry.cost for entry in self.entries.values())

    def standing(self, key: str, now: int) -> Entry | None:
        """What may still be shown, fresh or stale; what is past its end goes."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        if now < entry.end:
            return entry
        self.remove(entry, Gone("expired", now))
        return None

    def use(self, entry: Entry) -> None:
        self.entries.move_to_end(entry.key)

    def why_gone(self, key: str) -> Gone:
        return self._gone.get(key, NEVER_STORED)

    def put(self, entry: Entry, now: int) -> None:
        """One whose key isn't there. Others make room for it."""
        while (bound := self._full_bound(entry.cost, 1)) and self.entries:
            self._evict(bound, now)
        self.entries[entry.key] = entry

    def drop(self, entry: Entry) -> None:
        """Another takes its place."""
        del self.entries[entry.key]

    def remove(self, entry: Entry, gone: Gone) -> None:
        del self.entries[entry.key]
        self._gone[entry.key] = gone
        if gone.reason == "expired":
            self.counters.expirations += 1
            self._log.note("expire", self.name, entry.key)

    def trim(self, now: int) -> None:
        """To bounds that have changed."""
        while (bound := self._full_bound(0, 0)) and self.entries:
            self._evict(bound, now)

    def expire(self, now: int) -> None:
        over = [entry for entry in self.entries.values() if entry.end <= now]
        for entry in sorted(over, key=lambda entry: entry.end):
            self.remove(entry, Gone("expired", now))

    def _full_bound(self, cost: int, count: int) -> str | None:
        values = self.policy.values
        if values["max_entries"] is not None and len(self.entries) + count > values["max_entries"]:
            return "entries"
        if values["max_bytes"] is not None and self.bytes + cost > values["max_bytes"]:
            return "bytes"
        return None

    def _evict(self, bound: str, now: int) -> None:
        victim = next(iter(self.entries.values()))
        # What is past its end makes room without being called evicted.
        if victim.end <= now:
            return self.remove(victim, Gone("expired", now))
        self.remove(victim, Gone("evicted", now))
        self.counters.evictions[bound] += 1
        self.counters.evicted_age = now - victim.stored_at
        self._log.note("evict", self.name, victim.key, more=f'"reason":"{bound}"')
        return None
