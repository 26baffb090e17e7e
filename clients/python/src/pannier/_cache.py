"""The cache itself, sync and async: each method asks what `_calls` says, and where no sidecar answers comes to what
that says then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from . import _calls as calls
from ._errors import PannierError
from ._settings import is_enabled
from ._sync import SyncLink
from ._values import codec_for
from ._wire import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from ._async import AsyncLink
    from ._calls import Call, Found
    from ._durations import Duration

T = TypeVar("T")
R = TypeVar("R")


class Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISS"

    def __bool__(self) -> bool:
        return False


# What a `get` comes to where there is no value: None is one.
MISS: Final = Missing()


class Entry:
    """A value with what is known of it. Times are in seconds; `ttl`: what is left, None: it doesn't expire."""

    __slots__ = ("age", "stale", "tags", "tier", "ttl", "value", "version")

    def __init__(self, value: Any, meta: Mapping[str, Any]) -> None:
        self.value = value
        self.stale: bool = meta.get("stale", False)
        self.ttl: float | None = meta["ttl"]
        self.age: float = meta["age"]
        self.tier: str = meta["tier"]
        self.version: int = meta["version"]
        self.tags: list[str] = meta["tags"]


class _Typed:
    """What both kinds make of values."""

    def __init__(self, kind: object = Any) -> None:
        self._codec = codec_for(kind)

    def shown(self, found: Found, default: Any) -> Any:
        if not found.hit or found.value is None:
            return default
        try:
            return self._codec.decode(found.value)
        except ValueError:
            return default

    def entry(self, found: Found) -> Entry | None:
        value = self.shown(found, MISS)
        return None if value is MISS else Entry(value, found.meta)

    def encode(self, value: Any) -> bytes:
        return self._codec.encode(value)


_UNTYPED = _Typed()


class Cache:
    """For `def`: one connection a thread, opened when it is first used. `raises`: where no sidecar answers, or it
    refuses, an error goes up; else that is a miss, or nothing done.
    """

    def __init__(self, socket: str | None = None, *, raises: bool = False) -> None:
        self.link = SyncLink(socket)
        self._raises = raises

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.link.close()

    def run(self, call: Call[R], *, always: bool = False) -> R:
        """`always`: also where the cache is switched off, as invalidations are."""
        if not always and not is_enabled():
            return call.otherwise
        try:
            return call.read(parse(self.link.exchange(call.line, call.wait)))
        except PannierError:
            if self._raises:
                raise
            return call.otherwise

    def namespace(self, ns: str, kind: type[T]) -> Namespace[T]:
        return Namespace(self, ns, kind)

    def get(self, ns: str, key: str, default: Any = MISS, *, stale: bool = False, strict: bool = False) -> Any:
        return _UNTYPED.shown(self.run(calls.get(ns, key, stale=stale, strict=strict)), default)

    def get_entry(self, ns: str, key: str, *, stale: bool = False) -> Entry | None:
        return _UNTYPED.entry(self.run(calls.get(ns, key, stale=stale, meta=True)))

    def get_many(self, ns: str, keys: Sequence[str]) -> dict[str, Any]:
        """Those that are there."""
        items = self.run(calls.get_many(ns, keys))
        return {key: item["value"] for key, item in zip(keys, items, strict=True) if item["hit"]}

    def set(
        self,
        ns: str,
        key: str,
        value: Any,
        ttl: Duration | None = None,
        *,
        stale: Duration | None = None,
        tags: Sequence[str] = (),
    ) -> bool:
        return self.run(calls.set_value(ns, key, _UNTYPED.encode(value), ttl=ttl, stale=stale, tags=tags))

    def add(self, ns: str, key: str, value: Any, ttl: Duration | None = None, *, tags: Sequence[str] = ()) -> bool:
        """Only where there is none."""
        return self.run(calls.set_value(ns, key, _UNTYPED.encode(value), ttl=ttl, tags=tags, condition="absent"))

    def set_many(
        self, ns: str, items: Mapping[str, Any], ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> int:
        encoded = {key: _UNTYPED.encode(value) for key, value in items.items()}
        return self.run(calls.set_many(ns, encoded, ttl, tags))

    def delete(self, ns: str, *keys: str, soft: bool = False) -> int:
        return self.run(calls.delete(ns, keys, soft=soft), always=True)

    def clear(
        self,
        ns: str,
        *,
        match: str | None = None,
        tags: Sequence[str] = (),
        soft: bool = False,
        dry_run: bool = False,
    ) -> int:
        return self.run(calls.clear(ns, match=match, tags=tags, soft=soft, dry_run=dry_run), always=True)

    def touch(self, ns: str, key: str, ttl: Duration | None = None, *, stale: Duration | None = None) -> bool:
        return self.run(calls.touch(ns, key, ttl, stale))

    def exists(self, ns: str, key: str) -> bool:
        return self.run(calls.exists(ns, key))

    def keys(self, ns: str, match: str | None = None, *, limit: int = 100, after: str | None = None) -> list[str]:
        found: list[str] = self.run(calls.keys(ns, match, limit, after))["keys"]
        return found

    def stats(self, ns: str | None = None) -> dict[str, Any]:
        return self.run(calls.stats(ns), always=True)

    def explain(self, ns: str, key: str) -> dict[str, Any]:
        return self.run(calls.explain(ns, key), always=True)

    def policy(self, ns: str, **changes: Any) -> dict[str, Any]:
        return self.run(calls.policy(ns, changes or None), always=True)

    def ping(self) -> bool:
        return self.run(calls.ping(), always=True)


class Namespace(Generic[T]):
    """One namespace of a cache, whose values are of one type."""

    def __init__(self, cache: Cache, ns: str, kind: type[T]) -> None:
        self._cache = cache
        self._ns = ns
        self._typed = _Typed(kind)

    @overload
    def get(self, key: str) -> T | Missing: ...
    @overload
    def get(self, key: str, default: R) -> T | R: ...
    def get(self, key: str, default: object = MISS) -> object:
        return self._typed.shown(self._cache.run(calls.get(self._ns, key)), default)

    def set(self, key: str, value: T, ttl: Duration | None = None, *, tags: Sequence[str] = ()) -> bool:
        return self._cache.run(calls.set_value(self._ns, key, self._typed.encode(value), ttl=ttl, tags=tags))

    def delete(self, *keys: str, soft: bool = False) -> int:
        return self._cache.delete(self._ns, *keys, soft=soft)


class AsyncCache:
    """For `async def`: one connection an event loop, opened when it is first used. `sync`: its twin for `def`. `raises`
    as there.
    """

    def __init__(self, socket: str | None = None, *, raises: bool = False) -> None:
        self._socket = socket
        self._raises = raises
        self._link: AsyncLink | None = None
        self.sync = Cache(socket, raises=raises)

    async def __aenter__(self) -> AsyncCache:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._link is not None:
            await self._link.aclose()

    @property
    def link(self) -> AsyncLink:
        # asyncio takes longer to import than all the rest: whoever has no loop needs none.
        if self._link is None:
            from ._async import AsyncLink

            self._link = AsyncLink(self._socket)
        return self._link

    async def run(self, call: Call[R], *, always: bool = False) -> R:
        """`always`: also where the cache is switched off, as invalidations are."""
        if not always and not is_enabled():
            return call.otherwise
        try:
            return call.read(parse(await self.link.exchange(call.line, call.wait)))
        except PannierError:
            if self._raises:
                raise
            return call.otherwise

    def namespace(self, ns: str, kind: type[T]) -> AsyncNamespace[T]:
        return AsyncNamespace(self, ns, kind)

    async def get(self, ns: str, key: str, default: Any = MISS, *, stale: bool = False, strict: bool = False) -> Any:
        return _UNTYPED.shown(await self.run(calls.get(ns, key, stale=stale, strict=strict)), default)

    async def get_entry(self, ns: str, key: str, *, stale: bool = False) -> Entry | None:
        return _UNTYPED.entry(await self.run(calls.get(ns, key, stale=stale, meta=True)))

    async def get_many(self, ns: str, keys: Sequence[str]) -> dict[str, Any]:
        """Those that are there."""
        items = await self.run(calls.get_many(ns, keys))
        return {key: item["value"] for key, item in zip(keys, items, strict=True) if item["hit"]}

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
        return await self.run(calls.set_value(ns, key, _UNTYPED.encode(value), ttl=ttl, stale=stale, tags=tags))

    async def add(
        self, ns: str, key: str, value: Any, ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> bool:
        """Only where there is none."""
        return await self.run(calls.set_value(ns, key, _UNTYPED.encode(value), ttl=ttl, tags=tags, condition="absent"))

    async def set_many(
        self, ns: str, items: Mapping[str, Any], ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> int:
        encoded = {key: _UNTYPED.encode(value) for key, value in items.items()}
        return await self.run(calls.set_many(ns, encoded, ttl, tags))

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

    async def touch(self, ns: str, key: str, ttl: Duration | None = None, *, stale: Duration | None = None) -> bool:
        return await self.run(calls.touch(ns, key, ttl, stale))

    async def exists(self, ns: str, key: str) -> bool:
        return await self.run(calls.exists(ns, key))

    async def keys(self, ns: str, match: str | None = None, *, limit: int = 100, after: str | None = None) -> list[str]:
        found: list[str] = (await self.run(calls.keys(ns, match, limit, after)))["keys"]
        return found

    async def stats(self, ns: str | None = None) -> dict[str, Any]:
        return await self.run(calls.stats(ns), always=True)

    async def explain(self, ns: str, key: str) -> dict[str, Any]:
        return await self.run(calls.explain(ns, key), always=True)

    async def policy(self, ns: str, **changes: Any) -> dict[str, Any]:
        return await self.run(calls.policy(ns, changes or None), always=True)

    async def ping(self) -> bool:
        return await self.run(calls.ping(), always=True)


class AsyncNamespace(Generic[T]):
    """One namespace of a cache, whose values are of one type."""

    def __init__(self, cache: AsyncCache, ns: str, kind: type[T]) -> None:
        self._cache = cache
        self._ns = ns
        self._typed = _Typed(kind)

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


# The process's own.
cache: Final = AsyncCache()
