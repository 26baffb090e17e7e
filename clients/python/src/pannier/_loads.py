"""What a cached call does when there is no fresh value: who runs the function, and what becomes of its result. Written
once, as steps that a sync or an async caller carries out; it waits for nothing itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from . import _calls as calls
from ._values import NotCacheableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ._calls import Call, Found
    from ._durations import Duration
    from ._values import Codec

    # A run of the function, or a request; what it is sent is what came of it.
    Steps = Generator["Run | Call[Any]", Any, Any]


class Run:
    """A step that runs the function."""

    __slots__ = ()


RUN: Final = Run()
# Others of this process who come to the same key wait for it.
RUN_ALONE: Final = Run()

logger = logging.getLogger("pannier")


class Plan:
    """What a function was decorated with."""

    __slots__ = ("codec", "condition", "is_told", "name", "ns", "stale", "tags", "ttl")

    def __init__(
        self,
        name: str,
        ns: str,
        codec: Codec[Any],
        ttl: Duration | Callable[[Any], Duration] | None,
        stale: Duration | None,
        tags: Callable[[tuple[Any, ...], dict[str, Any], Any], list[str]],
        condition: Callable[[Any], bool] | None,
    ) -> None:
        self.name = name
        self.ns = ns
        self.codec = codec
        self.ttl = ttl
        self.stale = stale
        self.tags = tags
        self.condition = condition
        # What was logged, once each.
        self.is_told: set[str] = set()

    def storing(
        self, key: str, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any], lease: str | None
    ) -> Call[bool] | None:
        """The request that stores a result; None: it is not to be stored."""
        if self.condition is not None and not self.condition(result):
            return None
        try:
            value = self.codec.encode(result)
        except NotCacheableError as error:
            self.tell(f"{self.name} is not cached: {error}")
            return None
        ttl = self.ttl(result) if callable(self.ttl) else self.ttl
        tags = self.tags(args, kwargs, result)
        return calls.set_value(self.ns, key, value, ttl=ttl, stale=self.stale, tags=tags, lease=lease)

    def tell(self, what: str) -> None:
        if what not in self.is_told:
            self.is_told.add(what)
            logger.warning("%s", what)


def load(
    plan: Plan, key: str, found: Found | None, args: tuple[Any, ...], kwargs: dict[str, Any], *, replaces: bool = False
) -> Steps:
    """`found`: what the sidecar said, None: nothing. `replaces`: what it has isn't of the type any more."""
    if replaces:
        result = yield RUN
        storing = plan.storing(key, result, args, kwargs, None)
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
        plan.tell(f"{plan.name} failed, and a stale value is shown: {type(error).__name__}: {error}")
        return stale
    except BaseException:
        # Cancelled: nothing is known against the source.
        yield calls.release(plan.ns, key, lease)
        raise
    storing = plan.storing(key, result, args, kwargs, lease)
    yield storing if storing is not None else calls.release(plan.ns, key, lease, passes=True)
    return result
