"""What a cached call does when there is no fresh value: who runs the function, and what becomes of its result. Written
once, as steps that a sync or an async caller carries out; it waits for nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import _calls as calls
from ._entry import MISS

if TYPE_CHECKING:
    from collections.abc import Generator

    from ._calls import Call, Found
    from ._plan import Arguments, Plan

    # A run of the function, or a request; what it is sent is what came of it.
    Steps = Generator["Run | Call[Any]", Any, Any]


# For so long a caller waits for another's load, in seconds, where it doesn't say; the policy's `max_wait` may be
# shorter.
DEFAULT_WAIT: Final = 30.0


class Run:
    """A step that runs the function."""

    __slots__ = ()


RUN: Final = Run()
# What a request comes to that the sidecar refuses, or doesn't answer.
REFUSED: Final = object()
UNANSWERED: Final = object()
# Others of this process who come to the same key wait for it.
RUN_ALONE: Final = Run()


def load(plan: Plan, key: str, found: Found | None, arguments: Arguments, wait: float) -> Steps:
    """`found`: what the sidecar said without waiting; None: nothing. `wait`: for so long others' loads are awaited."""
    value = plan.fresh(found)
    if value is not MISS:
        return value
    if found is not None and found.is_busy:
        found = yield calls.get(plan.ns, key, lease=True, wait=wait)
        if found is REFUSED or found is UNANSWERED:
            plan.counts.unanswered += 1
            found = None
        value = plan.fresh(found)
        if value is not MISS:
            return value
    if found is None or found.failed:
        # No lease is to be had: so that a source in trouble, or unprotected, is asked for one key once at a time.
        return (yield RUN_ALONE)
    if found.lease is not None:
        return (yield from _load_under(found.lease, plan, key, found, arguments))
    result = yield RUN
    if found.hit:
        # What it has isn't of the type any more.
        storing = plan.storing(key, result, arguments)
        if storing is not None:
            yield storing
    return result


def _load_under(lease: str, plan: Plan, key: str, found: Found, arguments: Arguments) -> Steps:
    try:
        result = yield RUN
    except Exception as error:
        yield calls.release(plan.ns, key, lease, failed=True)
        if found.value is None:
            raise
        try:
            stale = plan.codec.decode(found.value)
        except ValueError:
            raise error from None
        plan.counts.stale += 1
        plan.tell("it failed, and a stale value is shown", f"{type(error).__name__}: {error}")
        return stale
    except BaseException:
        # Cancelled: nothing is known against the source.
        yield calls.release(plan.ns, key, lease)
        raise
    try:
        storing = plan.storing(key, result, arguments, lease)
    except BaseException:
        # A condition, a ttl or a tag of the function's own that doesn't fit this result.
        yield calls.release(plan.ns, key, lease)
        raise
    # What the sidecar refuses, as too large, has left the lease standing, and others waiting.
    if storing is None or (yield storing) is REFUSED:
        yield calls.release(plan.ns, key, lease, passes=True)
    return result
