"""What changes what readers see: set, delete, touch, clear and a policy. Each has its number before it is answered. It
is told the time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ._entries import Entry, Gone
from ._fields import POLICY

if TYPE_CHECKING:
    from random import Random
    from typing import Any

    from ._entries import Caller, Namespace
    from ._events import Log
    from ._globs import Glob
    from ._loads import Lease, Loads
    from ._policy import Policy


class Item(NamedTuple):
    """A value to be stored. Times in milliseconds; `ttl`: POLICY and UNLIMITED, too. `stale` None: the policy's."""

    key: str
    value: bytes
    ttl: float
    stale: int | None
    tags: list[str]
    condition: str | int | None
    lease: str | None


class Changes:
    def __init__(self, loads: Loads, log: Log, random: Random) -> None:
        self._loads = loads
        self._log = log
        self._random = random

    # MARK: set and touch

    def set(self, ns: Namespace, item: Item, by: Caller, now: int) -> str | None:
        """Why it wasn't stored; None: it was."""
        if not ns.policy.stores:
            # What it would have replaced must not come back when the namespace serves again.
            if item.condition is None and item.lease is None:
                self._remove(ns, item.key, by, now)
            return "disabled"
        lease: Lease | None = None
        if item.lease is not None:
            lease = self._loads.fillable(ns, item.key, item.lease, item.tags, now)
            if lease is None:
                ns.counters.leases["lost"] += 1
                return "lease_lost"
        there = ns.standing(item.key, now)
        refused = _refused(item.condition, there, now)
        if refused is not None:
            return refused
        rule = ns.policy.for_key(item.key)
        ttl = self._lifetime(item.ttl, rule, is_null=item.value == b"null")
        if there is not None:
            ns.drop(there)
        entry = Entry(item.key, item.value, item.tags, now, self._log.next(), by)
        entry.live(now, ttl, rule["stale"] if item.stale is None else item.stale)
        load = None if lease is None else now - lease.granted_at
        self._log.note_stored(ns.name, item.key, by.pid, ttl, len(item.value), load)
        ns.counters.sets += 1
        ns.put(entry, now)
        self._loads.fulfil(ns, item.key, now, is_fill=lease is not None)
        return None

    def touch(self, ns: Namespace, key: str, asked: float, stale: int | None, now: int) -> bool:
        entry = ns.standing(key, now) if ns.policy.stores else None
        if entry is None or now >= entry.fresh_until:
            return False
        rule = ns.policy.for_key(key)
        ttl = self._lifetime(asked, rule, is_null=entry.value == b"null")
        self._log.next()
        ns.use(entry)
        entry.live(now, ttl, rule["stale"] if stale is None else stale)
        return True

    def _lifetime(self, asked: float, rule: dict[str, Any], *, is_null: bool) -> int | None:
        """What was asked, within the policy's caps, shortened by its jitter. None: no end."""
        ttl: float = asked
        if asked == POLICY:
            ttl = math.inf if rule["ttl"] is None else rule["ttl"]
        if rule["max_ttl"] is not None:
            ttl = min(ttl, rule["max_ttl"])
        if is_null and rule["negative_ttl"] is not None:
            ttl = min(ttl, rule["negative_ttl"])
        if math.isinf(ttl):
            return None
        # Only ever shortened, and never to nothing.
        return max(1, int(ttl) - int(ttl * rule["jitter"] * self._random.random()))

    # MARK: delete and clear

    def delete(self, ns: Namespace, key: str, by: Caller, now: int, *, soft: bool) -> bool:
        """Whether a reader could have seen it."""
        stale: int = ns.policy.for_key(key)["stale"] if soft else 0
        self._loads.invalidate(ns, key, now)
        if stale == 0:
            was_there = self._remove(ns, key, by, now)
            ns.counters.deletes += was_there
            return was_there
        entry = ns.standing(key, now)
        if entry is None:
            return False
        self._log.next()
        self._log.note("delete", ns.name, key, pid=by.pid, soft=True)
        entry.soften(now + stale)
        ns.counters.deletes += 1
        return True

    def _remove(self, ns: Namespace, key: str, by: Caller, now: int) -> bool:
        entry = ns.standing(key, now)
        if entry is None:
            return False
        self._log.next()
        self._log.note("delete", ns.name, key, pid=by.pid)
        ns.remove(entry, Gone("deleted", now, by.pid))
        return True

    def clear(self, ns: Namespace, match: Glob | None, tags: list[str], by: Caller, now: int, *, soft: bool) -> int:
        ns.counters.clears += 1
        self._log.next()
        pattern = match.pattern if match else None
        self._log.note("clear", ns.name, pid=by.pid, soft=soft, match=pattern, tags=tags)
        covered_entries = covered(ns, match, tags, now)
        for entry, tag in covered_entries:
            stale: int = ns.policy.for_key(entry.key)["stale"] if soft else 0
            if stale:
                entry.soften(now + stale)
            else:
                ns.remove(entry, Gone("cleared", now, by.pid, pattern, tag))
        ns.counters.cleared += len(covered_entries)
        return len(covered_entries)

    def clear_loads(self, ns: Namespace, match: Glob | None, tags: list[str], now: int) -> None:
        """What was being loaded when the clear was asked for."""
        if tags:
            self._loads.note_tags_cleared(ns, tags)
        else:
            self._loads.invalidate_all(ns, match, now)

    # MARK: policy

    def set_policy(self, ns: Namespace, policy: Policy, by: Caller, now: int) -> None:
        was_off = ns.policy.values["mode"] == "off"
        ns.policy = policy
        if not policy.stores:
            # Who waits is told that nothing is stored any more.
            self._loads.invalidate_all(ns, None, now)
        if policy.values["mode"] == "off" and not was_off:
            for entry, _ in covered(ns, None, [], now):
                ns.remove(entry, Gone("cleared", now, by.pid))
        self._log.note("policy", ns.name, pid=by.pid)
        ns.trim(now)


def covered(ns: Namespace, match: Glob | None, tags: list[str], now: int) -> list[tuple[Entry, str | None]]:
    """What a clear takes in, and the tag by which it does."""
    found: list[tuple[Entry, str | None]] = []
    for entry in ns.entries.values():
        tag = next((tag for tag in tags if tag in entry.tags), None)
        if now < entry.end and (match is None or match.fits(entry.key)) and (tag is not None or not tags):
            found.append((entry, tag))
    return found


def _refused(condition: str | int | None, there: Entry | None, now: int) -> str | None:
    is_fresh = there is not None and now < there.fresh_until
    if condition == "absent":
        return "exists" if is_fresh else None
    if condition == "present":
        return None if is_fresh else "missing"
    if isinstance(condition, int):
        if there is None:
            return "missing"
        return None if there.version == condition else "changed"
    return None
