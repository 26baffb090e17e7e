"""How answers are written: the order of their members is fixed here. It decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._entries import NEVER
from ._text import quoted_list, quoted_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._counters import Counters
    from ._entries import Entry, Gone, Namespace
    from ._loads import Load
    from ._reads import Options, Step
    from ._refusal import RefusalError


def answer(identity: str | None, members: bytes | str = b"") -> bytes:
    """`members` as they are written, each with a comma before it."""
    written = members.encode() if isinstance(members, str) else members
    return (b'{"ok":true' if identity is None else f'{{"id":{identity},"ok":true'.encode()) + written + b"}"


def refused(identity: str | None, refusal: RefusalError) -> bytes:
    head = "{" if identity is None else f'{{"id":{identity},'
    error = f'{{"code":"{refusal.code}","message":{quoted_text(refusal.message)}}}'
    return f'{head}"ok":false,"error":{error}}}'.encode(errors="replace")


def items(parts: Sequence[bytes]) -> bytes:
    return b',"items":[' + b",".join(b"{" + part[1:] + b"}" for part in parts) + b"]"


def found(step: Step, options: Options, now: int) -> bytes:
    """What a `get` of one key says, or of one of many."""
    lease = f',"lease":"{step.lease}"' if step.lease else ""
    entry = step.entry
    if entry is None:
        more = ',"busy":true' if step.is_busy else lease
        if step.pause is not None and step.pause.reason == "passed":
            more = ',"pass":true'
        elif step.pause is not None:
            more = f',"failed":true,"retry":{seconds_text(step.pause.until - now)}'
        return f',"hit":false{more}'.encode()
    is_same = entry.version == options.unless
    stale, same = ',"stale":true' if step.is_stale else "", ',"same":true' if is_same else ""
    shown = f',"hit":true{stale}{lease}{same}'
    if options.meta:
        age, ttl = seconds_text(now - entry.stored_at), _ttl(entry, now, is_stale=step.is_stale)
        shown += f',"ttl":{ttl},"age":{age},"tier":"memory","version":{entry.version}'
        shown += f',"tags":{quoted_list(entry.tags)},"size":{len(entry.value)}'
    return shown.encode() + (b"" if is_same else b',"value":' + entry.value)


def stored(reason: str | None) -> bytes:
    return b',"stored":true' if reason is None else f',"stored":false,"reason":"{reason}"'.encode()


def _ttl(entry: Entry, now: int, *, is_stale: bool) -> str:
    if is_stale:
        return "0"
    return "null" if entry.fresh_until == NEVER else seconds_text(max(0, entry.fresh_until - now))


# MARK: explain


def present(entry: Entry, now: int) -> str:
    is_stale = now >= entry.fresh_until
    life = f'"age":{seconds_text(now - entry.stored_at)},"ttl":{_ttl(entry, now, is_stale=is_stale)}'
    value = f'"tags":{quoted_list(entry.tags)},"version":{entry.version},"size":{len(entry.value)}'
    by = f'"filled_by":{{"pid":{entry.by.pid},"uid":{entry.by.uid}}}'
    return f',"state":"{"stale" if is_stale else "fresh"}","tier":"memory",{life},{value},{by}'


def absent(gone: Gone, now: int) -> str:
    shown = f',"state":"absent","reason":"{gone.reason}"'
    if gone.pid is None:
        return shown
    by = f'"pid":{gone.pid},"age":{seconds_text(now - gone.at)}'
    if gone.match is not None:
        by += f',"match":{quoted_text(gone.match)}'
    if gone.tag is not None:
        by += f',"tag":{quoted_text(gone.tag)}'
    return f'{shown},"by":{{{by}}}'


def loading(load: Load | None, now: int) -> str:
    if load is None or load.lease is None:
        return ""
    age = seconds_text(now - load.lease.granted_at)
    return f',"lease":{{"age":{age},"pid":{load.lease.by.pid},"waiting":{len(load.waiters)}}}'


# MARK: stats


def _object(counts: dict[str, int]) -> str:
    return f"{{{','.join(f'{quoted_text(name)}:{count}' for name, count in counts.items())}}}"


def requests(counts: dict[str, int], errors: dict[str, int]) -> str:
    return f',"requests":{_object(counts)},"errors":{_object(errors)}'


def _or_null(number: int | None) -> str:
    return "null" if number is None else str(number)


def statistics(ns: Namespace) -> str:
    counters, values = ns.counters, ns.policy.values
    age = counters.evicted_age
    return ",".join(
        [
            f'{{"hits":{counters.hits},"stale_hits":{counters.stale_hits}',
            f'"misses":{sum(counters.misses.values())},"misses_by":{_object(counters.misses)}',
            f'"sets":{counters.sets},"deletes":{counters.deletes}',
            f'"clears":{counters.clears},"cleared":{counters.cleared},"clears_widened":0',
            f'"evictions":{_object(counters.evictions)},"expirations":{counters.expirations}',
            f'"entries":{len(ns.entries)},"bytes":{ns.bytes}',
            f'"max_bytes":{_or_null(values["max_bytes"])},"max_entries":{_or_null(values["max_entries"])}',
            f'"evicted_age":{"null" if age is None else seconds_text(age)}',
            _load_statistics(counters),
        ]
    )


def _load_statistics(counters: Counters) -> str:
    waits = f'"count":{counters.waits},"now":{counters.waiting},"seconds":{seconds_text(counters.waited)}'
    quantiles = ",".join(f'"p{share * 100:.0f}":{seconds_text(counters.load_time(share))}' for share in (0.5, 0.99))
    loads = f'"count":{len(counters.load_times)},{quantiles},"seconds":{seconds_text(sum(counters.load_times))}'
    return (
        f'"leases":{_object(counters.leases)},"waits":{{{waits}}},"loads":{{{loads}}},'
        f'"refreshes":{counters.refreshes},"saved_seconds":{seconds_text(counters.saved)}}}'
    )
