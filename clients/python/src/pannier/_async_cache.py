"""The cache for `async def`: `_cache`'s methods, awaited. asyncio is imported by whoever first asks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from . import _calls as calls
from ._cache import Cache
from ._entry import MISS, UNTYPED, Typed
from ._errors import PannierError, RefusedError, UnavailableError
from ._log import Once
from ._settings import is_enabled
from ._wire import parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Unpack

    from ._calls import Call
    from ._direct import AsyncLoader, Keeping
    from ._durations import Duration
    from ._entry import Entry, Missing
    from ._link import AwaitedLink

T = TypeVar("T")
R = TypeVar("R")


class AsyncCache:
    """For `async def`: one connection an event loop, opened when it is first used. `sync`: its twin for `def`. `raises`
    as there.
    """

    def __init__(self, socket: str | None = None, *, raises: bool = False) -> None:
        self._socket = socket
        self.raises = raises
        self._once = Once()
        self._made_loader: AsyncLoader[Any] | None = None
        self.sync = Cache(socket, raises=raises)

    async def __aenter__(self) -> AsyncCache:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if "link" in self.__dict__:
            await self.link.aclose()

    @functools.cached_property
    def link(self) -> AwaitedLink:
        # asyncio takes longer to import than all the rest: whoever has no loop needs none.
        from ._async import AsyncLink

        return AsyncLink(self._socket, calls.leases_back)

    async def run(self, call: Call[R], *, always: bool = False) -> R:
        """`always`: also where the cache is switched off, as invalidations are."""
        if not always and not is_enabled():
            return call.otherwise
        try:
            return await self.ask(call)
        except PannierError as error:
            if call.later is not None and isinstance(error, UnavailableError):
                self.link.tell_later(call.later())
            if self.raises:
                raise
            if isinstance(error, RefusedError):
                self._once.warn(f"the sidecar refuses a request as {error.code}", error.message)
            return call.otherwise

    async def ask(self, call: Call[R]) -> R:
        """Raises a PannierError, whatever the client was told."""
        return call.read(parse(await self.link.exchange(call.line, call.wait, is_change=call.later is not None)))

    def namespace(self, ns: str, kind: type[T]) -> AsyncNamespace[T]:
        return AsyncNamespace(self, ns, kind)

    async def get(self, ns: str, key: str, default: Any = MISS, *, stale: bool = False, strict: bool = False) -> Any:
        return UNTYPED.shown(await self.run(calls.get(ns, key, stale=stale, strict=strict)), default)

    async def get_entry(self, ns: str, key: str, *, stale: bool = False) -> Entry | None:
        return UNTYPED.entry(await self.run(calls.get(ns, key, stale=stale, meta=True)))

    async def get_many(self, ns: str, keys: Sequence[str]) -> dict[str, Any]:
        """Those that are there."""
        return UNTYPED.many(keys, await self.run(calls.get_each(ns, keys)))

    async def set(
        self,
        ns: str,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        stale: Duration | None = None,
        tags: Sequence[str] = (),
    ) -> bool:
        return await self.run(calls.set_value(ns, key, UNTYPED.encode(value), ttl=ttl, stale=stale, tags=tags))

    async def add(
        self, ns: str, key: str, value: Any, ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> bool:
        """Only where there is none."""
        return await self.run(calls.set_value(ns, key, UNTYPED.encode(value), ttl=ttl, tags=tags, condition="absent"))

    async def set_many(
        self, ns: str, items: Mapping[str, Any], ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> int:
        more = {"ttl": ttl, "tags": tags}
        return await self.run(calls.set_each(ns, {key: (UNTYPED.encode(value), more) for key, value in items.items()}))

    async def delete(self, ns: str, *keys: str, soft: bool = False) -> int:
        return await self.run(calls.delete(ns, keys, soft=soft), always=True)

    async def clear(
        self,
        ns: str,
        *,
        match: str | None = None,
        tags: Sequence[str] = (),
        soft: bool = False,
        dry_run: bool = False,
    ) -> int:
        return await self.run(calls.clear(ns, match=match, tags=tags, soft=soft, dry_run=dry_run), always=True)

    @property
    def _loader(self) -> AsyncLoader[Any]:
        if self._made_loader is None:
            from ._direct import AsyncLoader

            self._made_loader = AsyncLoader(self, UNTYPED.codec, raises=self.raises)
        return self._made_loader

    async def get_or_set(self, ns: str, key: str, load: Callable[[], Awaitable[R]], **keeping: Unpack[Keeping]) -> R:
        """What is there, or what `load()` returns, which is then kept: one load at a time for all of the host."""
        value: R = await self._loader.one(ns, key, load, keeping)
        return value

    async def get_or_set_many(
        self,
        ns: str,
        keys: Sequence[str],
        load: Callable[[list[str]], Awaitable[Mapping[str, R]]],
        **keeping: Unpack[Keeping],
    ) -> dict[str, R]:
        """As `get_or_set`, with one call of `load(missing)` for the keys that nobody has or loads. Those that it has
        nothing for are left out.
        """
        return await self._loader.many(ns, keys, load, keeping)

    async def touch(self, ns: str, key: str, ttl: Duration | None = None, *, stale: Duration | None = None) -> bool:
        return await self.run(calls.touch(ns, key, ttl, stale))

    async def exists(self, ns: str, key: str) -> bool:
        return await self.run(calls.exists(ns, key))

    async def keys(self, ns: str, match: str | None = None, *, limit: int = 100, after: str | None = None) -> list[str]:
        return await self.run(calls.keys(ns, match, limit, after))

    async def stats(self, ns: str | None = None) -> dict[str, Any]:
        return await self.run(calls.stats(ns), always=True)

    async def explain(self, ns: str, key: str) -> dict[str, Any]:
        return await self.run(calls.explain(ns, key), always=True)

    async def policy(self, ns: str, **changes: Any) -> dict[str, Any]:
        return await self.run(calls.policy(ns, changes or None), always=True)

    def watch(
        self, ns: str | None = None, *, events: Sequence[str] | None = None, sample: float | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """What happens, as PROTOCOL.md's events, until the sidecar ends; UnavailableError: there is none."""
        from ._watch import watch_async

        return watch_async(self._socket, ns, events, sample)

    async def ping(self) -> bool:
        return await self.run(calls.ping(), always=True)


class AsyncNamespace(Generic[T]):
    """One namespace of a cache, whose values are of one type."""

    def __init__(self, cache: AsyncCache, ns: str, kind: type[T]) -> None:
        self._cache = cache
        self._ns = ns
        self._typed = Typed(kind)
        self._made_loader: AsyncLoader[T] | None = None

    @overload
    async def get(self, key: str) -> T | Missing: ...
    @overload
    async def get(self, key: str, default: R) -> T | R: ...
    async def get(self, key: str, default: object = MISS) -> object:
        return self._typed.shown(await self._cache.run(calls.get(self._ns, key)), default)

    async def set(self, key: str, value: T, ttl: Duration | None = None, *, tags: Sequence[str] = ()) -> bool:
        return await self._cache.run(calls.set_value(self._ns, key, self._typed.encode(value), ttl=ttl, tags=tags))

    async def delete(self, *keys: str, soft: bool = False) -> int:
        return await self._cache.delete(self._ns, *keys, soft=soft)

    async def get_many(self, keys: Sequence[str]) -> dict[str, T]:
        """Those that are there."""
        return self._typed.many(keys, await self._cache.run(calls.get_each(self._ns, keys)))

    @property
    def _loader(self) -> AsyncLoader[T]:
        if self._made_loader is None:
            from ._direct import AsyncLoader

            self._made_loader = AsyncLoader(self._cache, self._typed.codec, raises=self._cache.raises)
        return self._made_loader

    async def get_or_set(self, key: str, load: Callable[[], Awaitable[T]], **keeping: Unpack[Keeping]) -> T:
        return await self._loader.one(self._ns, key, load, keeping)

    async def get_or_set_many(
        self, keys: Sequence[str], load: Callable[[list[str]], Awaitable[Mapping[str, T]]], **keeping: Unpack[Keeping]
    ) -> dict[str, T]:
        return await self._loader.many(self._ns, keys, load, keeping)


# The process's own.
cache: Final = AsyncCache()
