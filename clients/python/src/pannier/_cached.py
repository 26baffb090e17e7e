"""`cached`: a function whose results are kept. It knows when to ask, and leaves what follows from the answer to
`_loads`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from . import _calls as calls
from ._alone import Alone
from ._async_cache import cache
from ._calls import Call
from ._durations import seconds
from ._entry import MISS
from ._errors import PannierError
from ._loads import RUN_ALONE, load
from ._plan import Plan
from ._settings import is_enabled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from ._async_cache import AsyncCache
    from ._calls import Found
    from ._durations import Duration
    from ._entry import Missing
    from ._loads import Steps

P = ParamSpec("P")
R = TypeVar("R")

# For so long a caller waits for another's load, in seconds, where it doesn't say; the policy's `max_wait` may be
# shorter.
DEFAULT_WAIT = 30.0


class CachedFunction(Protocol[P, R]):
    """A `def` whose results are kept."""

    __name__: str
    original: Callable[P, R]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def key(self, *args: P.args, **kwargs: P.kwargs) -> str: ...
    def get(self, *args: P.args, **kwargs: P.kwargs) -> R | Missing:
        """What is kept; MISS: nothing. The function isn't called."""
        ...

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function, and keeps what it returns."""
        ...

    def set(self, value: Any, /, *args: P.args, **kwargs: P.kwargs) -> bool: ...
    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether there was something."""
        ...


class AsyncCachedFunction(Protocol[P, R]):
    """An `async def` whose results are kept."""

    __name__: str
    original: Callable[P, Awaitable[R]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    def key(self, *args: P.args, **kwargs: P.kwargs) -> str: ...
    def get(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R | Missing]: ...
    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    def set(self, value: Any, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, bool]: ...
    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, bool]: ...


class Decorator(Protocol):
    # A coroutine function is a function, too, and the first that fits is taken: mypy warns of any such pair.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncCachedFunction[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> CachedFunction[P, R]: ...


def cached(
    cache_name: str = "default",
    ttl: Duration | Callable[[Any], Duration] | None = None,
    key_builder: Callable[..., str] | None = None,
    condition: Callable[[Any], bool] | None = None,
    *,
    key: str | None = None,
    tags: Sequence[str] = (),
    stale: Duration | None = None,
    version: str | int | None = None,
    ignore: Sequence[str] = (),
    returns: object = None,
    wait: Duration | None = None,
    client: AsyncCache | None = None,
) -> Decorator:
    """Keeps what a function returns, for all workers of the host.

    `cache_name`: the sidecar's namespace. `ttl`: seconds, `"10m"`, a timedelta, or a function of the result; None:
    the policy's. `key`: a template over the arguments; without it, and without `key_builder(function, args, kwargs)`,
    all arguments make the key, but for sessions, requests and clients, those in `ignore` and those annotated with
    NoKey. `condition(result)`: whether to keep it. `stale`: for how long after its ttl it may stand in for a function
    that fails. `version`: another one is another key. `returns`: the type, where the annotation doesn't say it.
    `wait`: for how long a caller waits for another's load.
    """
    if key is not None and key_builder is not None:
        raise TypeError("either a key or a key_builder")

    def decorate(function: Callable[..., Any]) -> Any:
        from inspect import iscoroutinefunction

        build = _Key(function, key, key_builder, ignore, version)
        plan = Plan(function, cache_name, ttl=ttl, stale=stale, tags=tags, condition=condition, returns=returns)
        longest = DEFAULT_WAIT if wait is None else seconds(wait)
        kind = _AsyncFunction if iscoroutinefunction(function) else _SyncFunction
        return kind(function, plan, build, longest, client or cache).wrapped()

    return cast("Decorator", decorate)


class _Key:
    def __init__(
        self,
        function: Callable[..., Any],
        template: str | None,
        builder: Callable[..., str] | None,
        ignore: Sequence[str],
        version: str | int | None,
    ) -> None:
        from ._templates import DefaultKey, Template

        self._suffix = "" if version is None else f":v{version}"
        if builder is not None:
            self._of: Callable[[tuple[Any, ...], dict[str, Any]], str] = lambda args, kwargs: builder(
                function, args, kwargs
            )
        elif template is not None:
            self._of = Template(template, function).key
        else:
            self._of = DefaultKey(function, ignore).key

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return self._of(args, kwargs) + self._suffix


class _Function(Generic[R]):
    """What both kinds have."""

    def __init__(self, function: Callable[..., Any], plan: Plan, key: _Key, wait: float, client: AsyncCache) -> None:
        self.function = function
        self.plan = plan
        self.key_of = key
        self.wait = wait
        self.client = client
        self.alone = Alone(plan.codec.encode, plan.codec.decode)

    def asking(self, key: str) -> Call[Found]:
        return calls.get(self.plan.ns, key, lease=True, wait=self.wait)

    def peeking(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Found]:
        return calls.get(self.plan.ns, self.key_of(args, kwargs))

    def ending(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[int]:
        return calls.delete(self.plan.ns, [self.key_of(args, kwargs)])

    def fresh(self, found: Found | None) -> Any:
        """The value that a call returns without more ado; MISS: there is none, or it is this caller's to load."""
        return MISS if found is None or found.lease is not None else self.shown(found)

    def shown(self, found: Found) -> Any:
        """MISS: there is nothing, or not of the type any more."""
        if found.value is None:
            return MISS
        try:
            return self.plan.codec.decode(found.value)
        except ValueError:
            return MISS

    def steps(self, key: str, found: Found | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
        is_unreadable = found is not None and found.hit and found.lease is None
        return load(self.plan, key, found, args, kwargs, replaces=is_unreadable)

    def name(self, wrapper: Callable[..., Any], **methods: Any) -> Any:
        functools.update_wrapper(wrapper, self.function)
        wrapper.original = self.function  # type: ignore[attr-defined]
        wrapper.key = lambda *args, **kwargs: self.key_of(args, kwargs)  # type: ignore[attr-defined]
        for name, method in methods.items():
            setattr(wrapper, name, method)
        return wrapper


class _SyncFunction(_Function[R]):
    def wrapped(self) -> Any:
        client, plan = self.client.sync, self.plan

        def call(*args: Any, **kwargs: Any) -> Any:
            if not is_enabled():
                return self.function(*args, **kwargs)
            key = self.key_of(args, kwargs)
            found = self.answered(key)
            value = self.fresh(found)
            if value is not MISS:
                return value
            return self.carry_out(self.steps(key, found, args, kwargs), key, args, kwargs)

        def refresh(*args: Any, **kwargs: Any) -> Any:
            result = self.function(*args, **kwargs)
            store(result, *args, **kwargs)
            return result

        def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(args, kwargs), value, args, kwargs)
            return storing is not None and client.run(storing)

        def peek(*args: Any, **kwargs: Any) -> Any:
            return self.shown(client.run(self.peeking(args, kwargs)))

        def invalidate(*args: Any, **kwargs: Any) -> bool:
            return client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)

    def answered(self, key: str) -> Found | None:
        try:
            return self.client.sync.ask(self.asking(key))
        except PannierError as error:
            self.plan.tell_refusal(error)
            return None

    def carry_out(self, steps: Steps, key: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Call):
                        sent = self.request(step)
                    elif step is RUN_ALONE:
                        sent = self.alone.run(key, lambda: self.function(*args, **kwargs))
                    else:
                        sent = self.function(*args, **kwargs)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(sent)
        except StopIteration as end:
            return end.value

    def request(self, call: Call[Any]) -> Any:
        """Raises nothing: the function's result is there, and stands."""
        try:
            return self.client.sync.ask(call)
        except PannierError as error:
            self.plan.tell_refusal(error)
            return call.otherwise


class _AsyncFunction(_Function[R]):
    def wrapped(self) -> Any:
        client, plan = self.client, self.plan

        async def call(*args: Any, **kwargs: Any) -> Any:
            if not is_enabled():
                return await self.function(*args, **kwargs)
            key = self.key_of(args, kwargs)
            found = await self.answered(key)
            value = self.fresh(found)
            if value is not MISS:
                return value
            return await self.carry_out(self.steps(key, found, args, kwargs), key, args, kwargs)

        async def refresh(*args: Any, **kwargs: Any) -> Any:
            result = await self.function(*args, **kwargs)
            await store(result, *args, **kwargs)
            return result

        async def store(value: Any, /, *args: Any, **kwargs: Any) -> bool:
            storing = plan.storing(self.key_of(args, kwargs), value, args, kwargs)
            return storing is not None and await client.run(storing)

        async def peek(*args: Any, **kwargs: Any) -> Any:
            return self.shown(await client.run(self.peeking(args, kwargs)))

        async def invalidate(*args: Any, **kwargs: Any) -> bool:
            return await client.run(self.ending(args, kwargs), always=True) > 0

        return self.name(call, refresh=refresh, set=store, get=peek, invalidate=invalidate)

    async def answered(self, key: str) -> Found | None:
        try:
            return await self.client.ask(self.asking(key))
        except PannierError as error:
            self.plan.tell_refusal(error)
            return None

    async def carry_out(self, steps: Steps, key: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        is_cancelled = False
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Call):
                        sent = await self.request(step, is_cancelled)
                    elif step is RUN_ALONE:
                        sent = await self.alone.run_async(key, lambda: self.function(*args, **kwargs))
                    else:
                        sent = await self.function(*args, **kwargs)
                except Exception as error:
                    step = steps.throw(error)
                except BaseException as error:
                    is_cancelled = True
                    step = steps.throw(error)
                else:
                    step = steps.send(sent)
        except StopIteration as end:
            return end.value

    async def request(self, call: Call[Any], is_cancelled: bool) -> Any:
        if is_cancelled:
            # Told at once, and not waited for: nobody waits any more.
            self.client.link.tell(call.line)
            return call.otherwise
        try:
            return await self.client.ask(call)
        except PannierError as error:
            self.plan.tell_refusal(error)
            return call.otherwise
