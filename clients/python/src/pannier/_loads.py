"""What a cached call does when there is no fresh value: who runs the function, and what becomes of its result. Written
once, as steps that a sync or an async caller carries out; it waits for nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import _calls as calls

if TYPE_CHECKING:
    from collections.abc import Generator

    from ._calls import Call, Found
    from ._plan import Plan

    # A run of the function, or a request; what it is sent is what came of it.
    Steps = Generator["Run | Call[Any]", Any, Any]


class Run:
    """A step that runs the function."""

    __slots__ = ()


RUN: Final = Run()
# Others of this process who come to the same key wait for it.
RUN_ALONE: Final = Run()


def load(
    plan: Plan, key: str, found: Found | None, args: tuple[Any, ...], kwargs: dict[str, Any], *, replaces: bool = False
) -> Steps:
    """`found`: what the sidecar said, None: nothing. `replaces`: what it has isn't of the type any more."""
    if replaces:
        result = yield RUN
        storing = plan.storing(key, result, args, kwargs)
        if storing is not None:
            yield storing
        return result
    if found is None or found.failed:
        # No lease is to be had: so that a source in trouble, or unprotected, is asked for one key once at a time.
        return (yield RUN_ALONE)
    if found.lease is None:
        return (yield RUN)
    return (yield from _load_under(found.lease, plan, key, found, args, kwargs))


def _load_under(lease: str, plan: Plan, key: str, found: Found, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
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
        plan.tell("it failed, and a stale value is shown", f"{type(error).__name__}: {error}")
        return stale
    except BaseException:
        # Cancelled: nothing is known against the source.
        yield calls.release(plan.ns, key, lease)
        raise
    storing = plan.storing(key, result, args, kwargs, lease)
    yield storing if storing is not None else calls.release(plan.ns, key, lease, passes=True)
    return result
