"""`cached_many`: a function of many things at once, of which each is kept by itself. It asks nothing: `_batch` has the
steps.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_args, get_origin

from ._async_cache import cache
from ._batch import load_many
from ._carry import AsyncCarrier, SyncCarrier
from ._durations import seconds
from ._loads import DEFAULT_WAIT
from ._plan import FunctionPlan, returned
from ._settings import is_enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ._async_cache import AsyncCache
    from ._batch import Steps
    from ._durations import Duration
    from ._plan import Arguments

P = ParamSpec("P")
R = TypeVar("R")


def cached_many(
    cache_name: str,
    each: str,
    ttl: Duration | Callable[[Any], Duration] | None = None,
    *,
    key: str,
    tags: Sequence[str] = (),
    stale: Duration | None = None,
    condition: Callable[[Any], bool] | None = None,
    returns: object = None,
    wait: Duration | None = None,
    client: AsyncCache | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For a function that takes several things and returns a mapping of them: it is called with a list of those that
    nobody has or loads, and what it has nothing for is left out.

    `each`: the parameter that has them. Templates of `key` and `tags` see one of them under that name; with the same
    `key` a function for one of them shares what is kept. `returns`: the type of one value, where the annotation,
    `dict[K, V]` or `Mapping[K, V]`, doesn't say it. The rest as for `cached`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        from inspect import iscoroutinefunction

        from ._templates import Template

        kind = _value_type(function) if returns is None else returns
        plan = FunctionPlan(function, cache_name, tags, kind, ttl=ttl, stale=stale, condition=condition)
        asked = _Each(function, each, Template(key, function).key)
        longest = DEFAULT_WAIT if wait is None else seconds(wait)
        made = _async_function if iscoroutinefunction(function) else _sync_function
        wrapped: Callable[P, R] = made(function, plan, asked, longest, client or cache)
        return wrapped

    return decorate


class _Each:
    """Which of a function's arguments are the things, and their keys."""

    def __init__(self, function: Callable[..., Any], name: str, key: Callable[..., str]) -> None:
        from inspect import signature

        from ._templates import argument_of

        self._things = argument_of(function, name)
        self._name = name
        self._place = list(signature(function).parameters).index(name)
        self._key = key

    def keys(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The things by their keys."""
        things: Iterable[Any] = self._things(args, kwargs)
        return {self._key(*self.instead(args, kwargs, thing)): thing for thing in things}

    def steps(
        self, plan: FunctionPlan, things: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any], wait: float
    ) -> Steps:
        return load_many(plan, list(things), lambda key: self.instead(args, kwargs, things[key]), wait, time.monotonic)

    def missing(
        self, keys: list[str], things: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Arguments:
        """The arguments with those of these keys, as the function takes them."""
        return self.instead(args, kwargs, [things[key] for key in keys])

    def instead(self, args: tuple[Any, ...], kwargs: dict[str, Any], thing: Any) -> Arguments:
        """The arguments with `thing` for all of them."""
        if len(args) > self._place:
            return (*args[: self._place], thing, *args[self._place + 1 :]), kwargs
        return args, {**kwargs, self._name: thing}


def _sync_function(function: Any, plan: FunctionPlan, each: _Each, wait: float, client: AsyncCache) -> Any:
    carrier = SyncCarrier(plan, client.sync, raises=False)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not is_enabled():
            return function(*args, **kwargs)
        things = each.keys(args, kwargs)

        def run(keys: list[str]) -> Mapping[str, Any]:
            some, more = each.missing(keys, things, args, kwargs)
            return _by_key(keys, things, function(*some, **more))

        steps = each.steps(plan, things, args, kwargs, wait)
        return {things[key]: value for key, value in carrier.carry_out(steps, run).items()}

    return call


def _async_function(function: Any, plan: FunctionPlan, each: _Each, wait: float, client: AsyncCache) -> Any:
    carrier = AsyncCarrier(plan, client, raises=False)

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        if not is_enabled():
            return await function(*args, **kwargs)
        things = each.keys(args, kwargs)

        async def run(keys: list[str]) -> Mapping[str, Any]:
            some, more = each.missing(keys, things, args, kwargs)
            return _by_key(keys, things, await function(*some, **more))

        steps = each.steps(plan, things, args, kwargs, wait)
        return {things[key]: value for key, value in (await carrier.carry_out(steps, run)).items()}

    return call


def _by_key(keys: list[str], things: dict[str, Any], results: Mapping[Any, Any]) -> dict[str, Any]:
    return {key: results[things[key]] for key in keys if things[key] in results}


def _value_type(function: Callable[..., Any]) -> object:
    kind = returned(function)
    if get_origin(kind) is None or len(get_args(kind)) != 2:
        raise TypeError(
            f"{function.__qualname__} says it returns {kind}: expected a mapping such as dict[int, Quiz]; or give "
            "`returns=`, the type of one value"
        )
    return get_args(kind)[1]
