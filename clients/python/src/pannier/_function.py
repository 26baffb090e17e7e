"""A decorated function: when it asks, and what it shows of an answer. What follows where there is nothing fresh is
`_loads`'s.
"""

from __future__ import annotations

import functools
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from . import _calls as calls
from ._calls import Found
from ._carry import AsyncCarrier, SyncCarrier
from ._entry import MISS
from ._errors import PannierError
from ._loads import load
from ._settings import is_disabled_here, settings
from ._wire import get_head, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._async_cache import AsyncCache
    from ._calls import Call
    from ._plan import FunctionPlan

    KeyOf = Callable[..., str]


# Of a request for a key that the caller would load.
_TAIL = ',"lease":true}'


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

    def peeking(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Found]:
        return calls.get(self.plan.ns, self.key_of(*args, **kwargs))

    def ending(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[int]:
        return calls.delete(self.plan.ns, [self.key_of(*args, **kwargs)])

    def name(self, wrapper: Callable[..., Any], **methods: Any) -> Any:
        functools.update_wrapper(wrapper, self.function)
        wrapper.original = self.function  # type: ignore[attr-defined]
        wrapper.key = self.key_of  # type: ignore[attr-defined]
        for name, method in methods.items():
            setattr(wrapper, name, method)
        return wrapper


class SyncFunction(_Function):
    def wrapped(self) -> Any:
        client, plan, key_of = self.client.sync, self.plan, self.key_of
        head = get_head(plan.ns)
        carrier = SyncCarrier(plan, client, raises=self.raises)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not settings.enabled or is_disabled_here():
                return self.function(*args, **kwargs)
            key = key_of(*args, **kwargs)
            # A hit goes the shortest way: what there is to be made of another answer comes after.
            try:
                answer = client.link.exchange(f"{head}{encode_basestring(key)}{_TAIL}".encode())
                value = plan.quick(answer)
                if value is not MISS:
                    return value
                found = Found(parse(answer))
            except PannierError as error:
                carrier.unanswered(error)
                found = None
            steps = load(plan, key, found, (args, kwargs), self.wait)
            return carrier.carry_out(steps, lambda: self.function(*args, **kwargs), key)

        def refresh(*args: Any, **kwargs: Any) -> Any:
            result = self.function(*args, **kwargs)
            store(result, *args, **kwargs)
            return result

        def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(*args, **kwargs), value, (args, kwargs))
            return storing is not None and client.run(storing)

        def peek(*args: Any, **kwargs: Any) -> Any:
            return plan.shown(client.run(self.peeking(args, kwargs)))

        def invalidate(*args: Any, **kwargs: Any) -> bool:
            return client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)


class AsyncFunction(_Function):
    def wrapped(self) -> Any:
        client, plan, key_of = self.client, self.plan, self.key_of
        head = get_head(plan.ns)
        carrier = AsyncCarrier(plan, client, raises=self.raises)

        async def call(*args: Any, **kwargs: Any) -> Any:
            if not settings.enabled or is_disabled_here():
                return await self.function(*args, **kwargs)
            key = key_of(*args, **kwargs)
            # A hit goes the shortest way: what there is to be made of another answer comes after.
            try:
                answer = await client.link.exchange(f"{head}{encode_basestring(key)}{_TAIL}".encode())
                value = plan.quick(answer)
                if value is not MISS:
                    return value
                found = Found(parse(answer))
            except PannierError as error:
                carrier.unanswered(error)
                found = None
            steps = load(plan, key, found, (args, kwargs), self.wait)
            return await carrier.carry_out(steps, lambda: self.function(*args, **kwargs), key)

        async def refresh(*args: Any, **kwargs: Any) -> Any:
            result = await self.function(*args, **kwargs)
            await store(result, *args, **kwargs)
            return result

        async def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(*args, **kwargs), value, (args, kwargs))
            return storing is not None and await client.run(storing)

        async def peek(*args: Any, **kwargs: Any) -> Any:
            return plan.shown(await client.run(self.peeking(args, kwargs)))

        async def invalidate(*args: Any, **kwargs: Any) -> bool:
            return await client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)
