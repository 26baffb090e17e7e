"""One load a key: who has its lease, who waits for it, and the pause after one that failed. It is told the time, and
knows no values.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._entries import Caller, Namespace
    from ._events import Log
    from ._globs import Glob
    from ._limits import Limits
    from ._session import Session


class Lease(NamedTuple):
    """`stamp`: the number of the last change when it was given."""

    token: str
    holder: Session
    granted_at: int
    deadline: int
    stamp: int

    @property
    def by(self) -> Caller:
        return self.holder.caller


class Pause(NamedTuple):
    reason: str
    until: int


class Waiter(NamedTuple):
    """`seeks`: it would load the key itself, were it elected."""

    ticket: int
    session: Session
    load: Load
    seeks: bool
    since: int
    until: int


class Woken(NamedTuple):
    """Somebody whose wait is over. `is_elected`: the lease is free, and kept for it."""

    ticket: int
    is_elected: bool


class Load:
    """What is going on with a key besides its value."""

    __slots__ = ("key", "lease", "ns", "number", "pause", "reserved", "waiters")

    def __init__(self, number: int, ns: Namespace, key: str) -> None:
        self.number = number
        self.ns = ns
        self.key = key
        self.lease: Lease | None = None
        self.pause: Pause | None = None
        # The waiter for whom the next election is kept.
        self.reserved: Waiter | None = None
        self.waiters: dict[int, Waiter] = {}

    @property
    def is_idle(self) -> bool:
        return self.lease is None and self.pause is None and self.reserved is None and not self.waiters

    @property
    def deadline(self) -> int | None:
        if self.lease is not None:
            return self.lease.deadline
        return self.pause.until if self.pause else None


class Loads:
    def __init__(self, limits: Limits, log: Log) -> None:
        self._limits = limits
        self._log = log
        self._loads: dict[tuple[str, str], Load] = {}
        self._waiters: dict[int, Waiter] = {}
        self._last_ticket = 0
        self._last_number = 0
        self._woken: list[Woken] = []
        # The number of the last clear of each tag: a load under way doesn't say its tags before its fill.
        self._tag_clears: dict[tuple[str, str], int] = {}

    # MARK: What there is

    def find(self, ns: Namespace, key: str, now: int) -> Load | None:
        """As it stands now: what is past its deadline has ended."""
        load = self._loads.get((ns.name, key))
        if load is not None:
            self._settle(load, now)
        return self._loads.get((ns.name, key))

    @property
    def is_full(self) -> bool:
        return len(self._loads) >= self._limits.loads

    def take_woken(self) -> list[Woken]:
        woken, self._woken = self._woken, []
        return woken

    # MARK: A lease begins

    def grant(self, ns: Namespace, key: str, session: Session, now: int, *, turn: int | None, is_refresh: bool) -> str:
        load = self._loads.get((ns.name, key))
        if load is None:
            self._last_number += 1
            load = self._loads[ns.name, key] = Load(self._last_number, ns, key)
        is_handed_over = turn is not None and load.reserved is not None and load.reserved.ticket == turn
        load.reserved = None
        deadline = now + ns.policy.for_key(key)["lease_timeout"]
        load.lease = Lease(secrets.token_hex(16), session, now, deadline, self._log.sequence)
        ns.counters.leases["granted"] += 1
        ns.counters.leases["held"] += 1
        ns.counters.leases["handed_over"] += is_handed_over
        ns.counters.refreshes += is_refresh
        more = '"handed_over":true' if is_handed_over else ""
        self._log.note("lease", ns.name, key, pid=session.caller.pid, more=more)
        return load.lease.token

    def fillable(self, ns: Namespace, key: str, token: str, tags: list[str], now: int) -> Lease | None:
        """The lease with this token, if it stands and what was loaded under it may be stored with these tags."""
        load = self.find(ns, key, now)
        if load is None or load.lease is None or load.lease.token != token:
            return None
        if any(self._tag_clears.get((ns.name, tag), -1) > load.lease.stamp for tag in tags):
            self._end(load, "revoked", now)
            return None
        return load.lease

    # MARK: A lease ends

    def release(self, ns: Namespace, key: str, token: str, end: str, retry: int | None, now: int) -> bool:
        load = self.find(ns, key, now)
        if load is None or load.lease is None or load.lease.token != token:
            return False
        pause = None
        if end != "released":
            span = ns.policy.for_key(key)["retry_after"] if retry is None else retry
            # At least as long as it takes to tell those who wait.
            pause = Pause(end, now + max(1, span))
        self._end(load, end, now, pause)
        return True

    def fulfil(self, ns: Namespace, key: str, now: int, *, is_fill: bool) -> None:
        """A value was stored: all who wait may see it."""
        load = self._loads.get((ns.name, key))
        if load is None:
            return
        lease, load.lease, load.pause = load.lease, None, None
        if lease is not None and is_fill:
            ns.counters.leases["held"] -= 1
            ns.counters.leases["filled"] += 1
            ns.counters.load_times.append(now - lease.granted_at)
        elif lease is not None:
            self._note_end(load, lease, "revoked")
        self._wake_all(load, now)

    def invalidate(self, ns: Namespace, key: str, now: int) -> None:
        """What is being loaded was read too early, and what is known of its failing is old."""
        load = self._loads.get((ns.name, key))
        if load is not None:
            self._end(load, "revoked", now)

    def invalidate_all(self, ns: Namespace, match: Glob | None, now: int) -> None:
        """`match` None: all of the namespace."""
        for load in sorted(self._loads.values(), key=lambda load: load.number):
            if load.ns is ns and load.deadline is not None and (match is None or match.fits(load.key)):
                self._end(load, "revoked", now)

    def note_tags_cleared(self, ns: Namespace, tags: list[str]) -> None:
        for tag in tags:
            self._tag_clears[ns.name, tag] = self._log.sequence

    def end(self, session: Session, now: int) -> None:
        """The session is over, and with it its waits and leases."""
        for waiter in [waiter for waiter in self._waiters.values() if waiter.session is session]:
            self.cancel(waiter.ticket, now)
        for load in list(self._loads.values()):
            if load.lease is not None and load.lease.holder is session:
                self._end(load, "disconnected", now)
            elif load.reserved is not None and load.reserved.session is session:
                load.reserved = None
                self._hand_over(load, now)

    def settle(self, now: int) -> None:
        """Ends what is past its deadline: leases and pauses, and then waits."""
        for load in sorted(self._loads.values(), key=lambda load: load.deadline or 0):
            self._settle(load, now)
        for waiter in sorted(self._waiters.values(), key=lambda waiter: waiter.until):
            if waiter.until <= now and waiter.ticket in self._waiters:
                self.wake(waiter.ticket, now)

    def _settle(self, load: Load, now: int) -> None:
        if load.deadline is not None and load.deadline <= now:
            self._end(load, "timed_out", now)

    def _end(self, load: Load, end: str, now: int, pause: Pause | None = None) -> None:
        """Without a fill: the one who has waited longest is next, unless there is a pause, of which all are told."""
        lease, load.lease, load.pause = load.lease, None, pause
        if lease is not None:
            self._note_end(load, lease, end)
        if pause is not None:
            self._wake_all(load, now)
        else:
            self._hand_over(load, now)

    def _note_end(self, load: Load, lease: Lease, end: str) -> None:
        load.ns.counters.leases["held"] -= 1
        load.ns.counters.leases["released" if end == "disconnected" else end] += 1
        self._log.note("release", load.ns.name, load.key, pid=lease.by.pid, more=f'"reason":"{end}"')

    def _hand_over(self, load: Load, now: int) -> None:
        if load.reserved is not None:
            # Invalidated between an election and its answer: who is elected has not begun to load.
            return
        next_one = next((waiter for waiter in load.waiters.values() if waiter.seeks), None)
        if not load.ns.policy.stores or next_one is None:
            self._wake_all(load, now)
            return
        self._leave(next_one)
        load.reserved = next_one
        self._woken.append(Woken(next_one.ticket, True))
        self._count_end(next_one, now)

    def _wake_all(self, load: Load, now: int) -> None:
        for waiter in sorted(load.waiters.values(), key=lambda waiter: (not waiter.seeks, waiter.ticket)):
            self.wake(waiter.ticket, now)
        self._close(load)

    def _close(self, load: Load) -> None:
        if load.is_idle:
            self._loads.pop((load.ns.name, load.key), None)
        if not any(other.lease for other in self._loads.values()):
            self._tag_clears.clear()

    # MARK: Waiting

    def wait(self, load: Load, session: Session, now: int, until: int, *, seeks: bool) -> int | None:
        """A ticket; None: as many wait as may."""
        if len(self._waiters) >= self._limits.waiting or len(load.waiters) >= self._limits.waiting_per_key:
            return None
        self._last_ticket += 1
        waiter = Waiter(self._last_ticket, session, load, seeks, now, until)
        load.waiters[waiter.ticket] = self._waiters[waiter.ticket] = waiter
        load.ns.counters.waits += 1
        load.ns.counters.waiting += 1
        return waiter.ticket

    def wake(self, ticket: int, now: int) -> None:
        self._woken.append(Woken(ticket, False))
        self.cancel(ticket, now)

    def cancel(self, ticket: int, now: int) -> None:
        """Ends a wait without a word."""
        waiter = self._waiters.get(ticket)
        if waiter is not None:
            self._leave(waiter)
            self._count_end(waiter, now)

    def is_turn(self, ns: Namespace, key: str, ticket: int) -> bool:
        load = self._loads.get((ns.name, key))
        return load is not None and load.reserved is not None and load.reserved.ticket == ticket

    def decline(self, ns: Namespace, key: str, ticket: int, now: int) -> None:
        """Gives back an election that its caller had no use for."""
        if self.is_turn(ns, key, ticket):
            load = self._loads[ns.name, key]
            load.reserved = None
            self._hand_over(load, now)

    def _leave(self, waiter: Waiter) -> None:
        del self._waiters[waiter.ticket]
        del waiter.load.waiters[waiter.ticket]

    def _count_end(self, waiter: Waiter, now: int) -> None:
        counters = waiter.load.ns.counters
        counters.waiting -= 1
        counters.waited += now - waiter.since
        self._close(waiter.load)
