"""Many keys with one load of those that aren't there: which of them this caller loads, waits for, or runs the function
for without keeping what it says. Steps, as in `_loads`; it waits for nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from . import _calls as calls
from ._entry import MISS
from ._loads import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ._calls import Call, Found
    from ._plan import Plan

    Steps = Generator["RunFor | Call[Any]", Any, dict[str, Any]]
    # What a key's value is kept with, beyond the plan: the arguments that its tags are templates over.
    ArgumentsOf = Callable[[str], tuple[tuple[Any, ...], dict[str, Any]]]

# As many as the sidecar takes in a request by default, `limits.items`.
_KEYS: Final = 1000


class RunFor:
    """A step that runs the function for these keys, and is sent their values by key."""

    __slots__ = ("keys",)

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys


class _Share:
    """What is to be done about the keys of one answer."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        # To be loaded by this caller, with their leases; None: there is none, and it is kept by a plain set.
        self.mine: dict[str, str | None] = {}
        self.stale: dict[str, bytes] = {}
        # Not to be kept.
        self.unkept: list[str] = []
        self.awaited: list[str] = []


def load_many(
    plan: Plan, keys: Sequence[str], arguments: ArgumentsOf, wait: float, clock: Callable[[], float]
) -> Steps:
    """The values of those that are there or that the function has. `clock`: seconds; `wait`: for others' loads."""
    end = clock() + wait
    found: dict[str, Any] = {}
    pending = list(dict.fromkeys(keys))
    awaited: list[str] = []
    while pending or awaited:
        # What others load is waited for when all else is done.
        is_waiting = not pending
        asked = (pending or awaited)[:_KEYS]
        pending, awaited = pending[_KEYS:], awaited[_KEYS:] if is_waiting else awaited
        left = max(0.0, end - clock()) if is_waiting else None
        answer: object = yield calls.get_each(plan.ns, asked, lease=True, wait=left)
        share = _shared_out(plan, asked, answer)
        plan.counts.hits += len(share.values)
        found.update(share.values)
        if is_waiting and not share.mine:
            # Nobody was elected, so the wait is over.
            share.unkept += share.awaited
            share.awaited = []
        if share.mine or share.unkept:
            found.update((yield from _loaded(plan, share, arguments)))
        awaited += share.awaited
    return {key: found[key] for key in keys if key in found}


def _shared_out(plan: Plan, keys: Sequence[str], answer: object) -> _Share:
    """`answer`: what was found of each, or whatever else the request came to where nobody answered."""
    share = _Share()
    if not isinstance(answer, list):
        plan.counts.unanswered += 1
        share.unkept = list(keys)
        return share
    for key, found in zip(keys, cast("list[Found]", answer), strict=True):
        value = plan.shown(found)
        if found.lease is not None:
            share.mine[key] = found.lease
            if found.value is not None and value is not MISS:
                share.stale[key] = found.value
        elif value is not MISS:
            share.values[key] = value
        elif found.hit:
            # Not of the type any more.
            share.mine[key] = None
        elif found.is_busy:
            share.awaited.append(key)
        else:
            share.unkept.append(key)
    return share


def _loaded(plan: Plan, share: _Share, arguments: ArgumentsOf) -> Steps:
    try:
        results: Mapping[str, Any] = yield RunFor([*share.mine, *share.unkept])
    except Exception as error:
        yield from _release(plan, share, failed=True)
        if share.unkept or len(share.stale) < len(share.mine):
            raise
        plan.counts.stale += len(share.stale)
        plan.tell("it failed, and stale values are shown", f"{type(error).__name__}: {error}")
        return {key: plan.codec.decode(raw) for key, raw in share.stale.items()}
    except BaseException:
        # Cancelled: nothing is known against the source.
        yield from _release(plan, share)
        raise
    try:
        kept = _kept(plan, share, results, arguments)
    except BaseException:
        yield from _release(plan, share)
        raise
    if kept and (yield calls.set_each(plan.ns, kept)) is REFUSED:
        kept = yield from _kept_singly(plan, kept)
    for key, lease in share.mine.items():
        if lease is not None and key not in kept:
            yield calls.release(plan.ns, key, lease, passes=True)
    return dict(results)


def _kept(plan: Plan, share: _Share, results: Mapping[str, Any], arguments: ArgumentsOf) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, lease in share.mine.items():
        one = plan.kept(results[key], arguments(key)) if key in results else None
        if one is not None:
            kept[key] = (one[0], {**one[1], "lease": lease})
    return kept


def _kept_singly(plan: Plan, kept: dict[str, Any]) -> Steps:
    """One that is too large had the whole request refused."""
    stored: dict[str, Any] = {}
    for key, (value, more) in kept.items():
        if (yield calls.set_value(plan.ns, key, value, **more)) is not REFUSED:
            stored[key] = value
    return stored


def _release(plan: Plan, share: _Share, *, failed: bool = False) -> Generator[Call[Any], Any, None]:
    for key, lease in share.mine.items():
        if lease is not None:
            yield calls.release(plan.ns, key, lease, failed=failed)
