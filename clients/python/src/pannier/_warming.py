"""Warming: functions that say what is worth having, and runs of them, one worker of a host at a time. What is warm
already costs a hit, and what others load is waited for: it can't be a stampede.
"""

from __future__ import annotations

import asyncio
import time
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

from . import _calls as calls
from ._async_cache import cache
from ._errors import PannierError
from ._log import warn
from ._settings import is_enabled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ._async_cache import AsyncCache

F = TypeVar("F", bound="Callable[[], Any]")

# Where runs are told of, on memory alone: each host warms its own.
NAMESPACE: Final = "pannier-warming"
_POLICY: Final[dict[str, Any]] = {"tiers": ["memory"], "lease_timeout": 3600, "ttl": 30 * 86400}
_PROGRESS_SECONDS: Final = 1.0


class WarmRun:
    """One run. `state`: `running`, `done`, `failed` (the warmer raised), `cancelled`, `elsewhere` (another worker of
    the host is at it), `unavailable` (no sidecar answers) or `disabled`. `asked`: calls so far, `failed`: those that
    raised, `error`: the first of them. `began`: Unix time.
    """

    __slots__ = ("asked", "began", "error", "failed", "name", "seconds", "state")

    def __init__(self, name: str, state: str = "running") -> None:
        self.name = name
        self.state = state
        self.asked = 0
        self.failed = 0
        self.error: str | None = None
        self.began = time.time()
        self.seconds = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class _Warmer:
    def __init__(self, name: str, source: Callable[[], Any], function: Callable[..., Any] | None) -> None:
        self.name = name
        self.source = source
        self.function = function

    def call(self, item: object) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        arguments = item if _is_tuple(item) else (item,)
        if self.function is not None:
            return self.function, arguments
        if not arguments or not callable(arguments[0]):
            raise TypeError(f"the warmer {self.name!r} yields {item!r}: expected (function, *arguments)")
        return arguments[0], arguments[1:]


def _is_tuple(item: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(item, tuple)


_warmers: Final[dict[str, _Warmer]] = {}


def warmer(name: str, function: Callable[..., Any] | None = None) -> Callable[[F], F]:
    """For a generator, `def` or `async def`, that yields what is worth having: a tuple of arguments for `function`, or
    a single argument; without `function`, tuples of a cached function and its arguments. `warm(name)` runs it.
    """

    def decorate(source: F) -> F:
        if not isgeneratorfunction(source) and not isasyncgenfunction(source):
            raise TypeError(f"{source.__qualname__} is no generator: a warmer yields arguments")
        _warmers[name] = _Warmer(name, source, function)
        return source

    return decorate


def warmers() -> list[str]:
    return list(_warmers)


async def warm(*names: str, concurrency: int = 8, client: AsyncCache | None = None) -> list[WarmRun]:
    """Runs the warmers of these names, or all, one after the other, with so many calls at once. Nothing is raised for
    what a call, or a warmer, raises: it is told in the run.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}: expected 1 or more")
    unknown = [name for name in names if name not in _warmers]
    if unknown:
        raise KeyError(f"there is no warmer {', '.join(unknown)}; there is {', '.join(_warmers) or 'none'}")
    found = [_warmers[name] for name in names or _warmers]
    return [await _run(one, concurrency, client or cache) for one in found]


async def warm_runs(*, client: AsyncCache | None = None) -> list[dict[str, Any]]:
    """The last run of each warmer on this host, whichever worker it was, or how far it has come."""
    names = list(_warmers)
    known = await (client or cache).get_many(NAMESPACE, [_place(name) for name in names]) if names else {}
    return [known[_place(name)] for name in names if _place(name) in known]


async def _run(one: _Warmer, concurrency: int, client: AsyncCache) -> WarmRun:
    if not is_enabled():
        return WarmRun(one.name, "disabled")
    lock = f"{_place(one.name)}:lease"
    try:
        await client.run(calls.policy(NAMESPACE, _POLICY))
        # It ends with the worker, and then another may warm.
        lease = (await client.ask(calls.get(NAMESPACE, lock, lease=True))).lease
    except PannierError as error:
        run = WarmRun(one.name, "unavailable")
        run.error = str(error)
        return run
    if lease is None:
        return WarmRun(one.name, "elsewhere")
    run = WarmRun(one.name)
    try:
        await _call_all(one, run, concurrency, client)
    finally:
        await client.run(calls.release(NAMESPACE, lock, lease))
        await _tell(run, client)
    return run


async def _tell(run: WarmRun, client: AsyncCache) -> None:
    run.seconds = round(time.time() - run.began, 3)
    await client.set(NAMESPACE, _place(run.name), run.as_dict())


async def _call_all(one: _Warmer, run: WarmRun, concurrency: int, client: AsyncCache) -> None:
    async def call(item: object) -> None:
        try:
            function, arguments = one.call(item)
            if iscoroutinefunction(function):
                await function(*arguments)
            else:
                await asyncio.to_thread(function, *arguments)
        except Exception as error:
            run.failed += 1
            run.error = run.error or f"{type(error).__name__}: {error}"
        run.asked += 1

    under_way: set[asyncio.Task[None]] = set()
    told = time.monotonic()
    try:
        async for item in _items(one.source):
            if len(under_way) >= concurrency:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            under_way.add(asyncio.create_task(call(item)))
            if time.monotonic() - told >= _PROGRESS_SECONDS:
                told = time.monotonic()
                await _tell(run, client)
        await asyncio.gather(*under_way)
        run.state = "done"
    except Exception as error:
        run.state, run.error = "failed", f"{type(error).__name__}: {error}"
        warn(f"the warmer {one.name!r} failed: {run.error}")
        await asyncio.gather(*under_way)
    except BaseException:
        run.state = "cancelled"
        for task in under_way:
            task.cancel()
        raise


async def _items(source: Callable[[], Any]) -> AsyncIterator[Any]:
    if isasyncgenfunction(source):
        async for item in source():
            yield item
        return
    # It may ask a database.
    plain: Iterator[Any] = await asyncio.to_thread(source)
    end = object()
    while (item := await asyncio.to_thread(next, plain, end)) is not end:
        yield item


def _place(name: str) -> str:
    import socket

    return f"{socket.gethostname()}/{name}"
