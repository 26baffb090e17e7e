"""What a `get` comes to: a value, the right to load it, a wait for who has that, or a miss. The rules are those of
PROTOCOL.md, "Leases". It is told the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ._entries import NEVER

if TYPE_CHECKING:
    from ._entries import Entry, Namespace
    from ._loads import Load, Loads, Pause
    from ._session import Session


@dataclass(frozen=True)
class Options:
    """What a reader asks beyond the key. `turn`: the wait after which it is elected."""

    stale: bool = False
    max_age: int | None = None
    unless: int | None = None
    lease: bool = False
    waits: bool = False
    has_waited: bool = False
    turn: int | None = None
    meta: bool = False


class Outlook(NamedTuple):
    """What a read would come to, before anything is counted. `kind`: `show` `elect` `wait` `busy` or `miss`. `entry`:
    what is shown; with `busy` and `miss` what is there and doesn't do.
    """

    kind: str
    entry: Entry | None = None
    is_stale: bool = False
    pause: Pause | None = None
    load: Load | None = None


class Step(NamedTuple):
    """What a read came to. `entry`: a hit's."""

    entry: Entry | None
    is_stale: bool = False
    lease: str | None = None
    is_busy: bool = False
    pause: Pause | None = None


def look(loads: Loads, ns: Namespace, key: str, options: Options, now: int) -> Outlook:
    if ns.policy.hides:
        return Outlook("miss")
    entry = ns.standing(key, now)
    is_stale, is_due = True, True
    if entry is not None:
        is_old = options.max_age is not None and now - entry.stored_at > options.max_age
        is_stale = now >= entry.fresh_until or is_old
        is_due = is_stale or _is_due(ns, entry, now)
    if not is_due:
        return Outlook("show", entry)
    is_usable = entry is not None and (not is_stale or options.stale or options.lease)
    seeks = options.lease and ns.policy.stores
    otherwise = Outlook("show" if is_usable else "miss", entry, is_stale)
    if is_usable and not seeks:
        return otherwise
    load = loads.find(ns, key, now)
    if load is not None and load.pause is not None:
        return otherwise if is_usable else Outlook("miss", entry, pause=load.pause)
    is_held = load is not None and (
        load.lease is not None or (load.reserved is not None and load.reserved.ticket != options.turn)
    )
    # Where as many loads are under way as may be, the caller is told to come again.
    if seeks and not is_held and not (load is None and loads.is_full):
        return Outlook("elect", entry, is_stale)
    if is_usable:
        return otherwise
    if is_held and options.waits:
        return Outlook("wait", load=load)
    # To be busy is worth saying to one that would load the key, or has waited for it.
    return Outlook("busy" if seeks or (is_held and options.has_waited) else "miss", entry)


def _is_due(ns: Namespace, entry: Entry, now: int) -> bool:
    share = ns.policy.for_key(entry.key)["refresh_ahead"]
    if share is None or entry.fresh_until == NEVER:
        return False
    return bool(now - entry.stored_at >= (entry.fresh_until - entry.stored_at) * share)


def read(loads: Loads, ns: Namespace, key: str, options: Options, session: Session, now: int) -> Step:
    """Counts, and elects. Not for one that is to wait."""
    found = look(loads, ns, key, options, now)
    lease = None
    if found.kind == "elect":
        is_refresh = found.entry is not None and not found.is_stale
        lease = loads.grant(ns, key, session, now, turn=options.turn, is_refresh=is_refresh)
    if found.kind in ("show", "elect") and found.entry is not None:
        ns.counters.hits += 1
        ns.counters.stale_hits += found.is_stale
        ns.use(found.entry)
        return Step(found.entry, found.is_stale, lease)
    # What could be shown as stale to another has expired for this one.
    reason = "expired" if found.entry is not None else ns.why_gone(key).reason
    ns.counters.misses["unknown" if ns.policy.hides else reason] += 1
    return Step(None, lease=lease, is_busy=found.kind in ("busy", "wait"), pause=found.pause)
