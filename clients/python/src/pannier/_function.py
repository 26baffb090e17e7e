"""A decorated function: when it asks, and what it shows of an answer. What follows where there is nothing fresh is
`_loads`'s.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import _calls as calls
from ._carry import AsyncCarrier, SyncCarrier
from ._entry import MISS
from ._loads import load
from ._settings import is_enabled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._async_cache import AsyncCache
    from ._calls import Call, Found
    from ._plan import FunctionPlan

    KeyOf = Callable[[tuple[Any, ...], dict[str, Any]], str]


class _Function:
    """What both kinds have."""

    def __init__(
        self,
        function: Callable[..., Any],
        plan: FunctionPlan,
        key_of: KeyOf,
        wait: float,
        client: AsyncCache,
        *,
        raises: bool,
    ) -> None:
        self.function = function
        self.plan = plan
        self.key_of = key_of
        self.wait = wait
        self.client = client
        self.raises = raises

    def asking(self, key: str) -> Call[Found]:
        return calls.get(self.plan.ns, key, lease=True, wait=self.wait)

    def peeking(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Found]:
        return calls.get(self.plan.ns, self.key_of(args, kwargs))

    def ending(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[int]:
        return calls.delete(self.plan.ns, [self.key_of(args, kwargs)])

    def name(self, wrapper: Callable[..., Any], **methods: Any) -> Any:
        functools.update_wrapper(wrapper, self.function)
        wrapper.original = self.function  # type: ignore[attr-defined]
        wrapper.key = lambda *args, **kwargs: self.key_of(args, kwargs)  # type: ignore[attr-defined]
        for name, method in methods.items():
            setattr(wrapper, name, method)
        return wrapper


class SyncFunction(_Function):
    def wrapped(self) -> Any:
        client, plan = self.client.sync, self.plan
        carrier = SyncCarrier(plan, client, raises=self.raises)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not is_enabled():
                return self.function(*args, **kwargs)
            key = self.key_of(args, kwargs)
            found = carrier.ask(self.asking(key))
            value = plan.fresh(found)
            if value is not MISS:
                return value
            steps = load(plan, key, found, (args, kwargs))
            return carrier.carry_out(steps, lambda: self.function(*args, **kwargs), key)

        def refresh(*args: Any, **kwargs: Any) -> Any:
            result = self.function(*args, **kwargs)
            store(result, *args, **kwargs)
            return result

        def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(args, kwargs), value, (args, kwargs))
            return storing is not None and client.run(storing)

        def peek(*args: Any, **kwargs: Any) -> Any:
            return plan.shown(client.run(self.peeking(args, kwargs)))

        def invalidate(*args: Any, **kwargs: Any) -> bool:
            return client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)


class AsyncFunction(_Function):
    def wrapped(self) -> Any:
        client, plan = self.client, self.plan
        carrier = AsyncCarrier(plan, client, raises=self.raises)

        async def call(*args: Any, **kwargs: Any) -> Any:
            if not is_enabled():
                return await self.function(*args, **kwargs)
            key = self.key_of(args, kwargs)
            found = await carrier.ask(self.asking(key))
            value = plan.fresh(found)
            if value is not MISS:
                return value
            steps = load(plan, key, found, (args, kwargs))
            return await carrier.carry_out(steps, lambda: self.function(*args, **kwargs), key)

        async def refresh(*args: Any, **kwargs: Any) -> Any:
            result = await self.function(*args, **kwargs)
            await store(result, *args, **kwargs)
            return result

        async def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(args, kwargs), value, (args, kwargs))
            return storing is not None and await client.run(storing)

        async def peek(*args: Any, **kwargs: Any) -> Any:
            return plan.shown(await client.run(self.peeking(args, kwargs)))

        async def invalidate(*args: Any, **kwargs: Any) -> bool:
            return await client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)
