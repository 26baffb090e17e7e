"""The cache for `def`: each method asks what `_calls` says, and comes to what that says where no sidecar answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from . import _calls as calls
from ._entry import MISS, UNTYPED, Typed
from ._errors import PannierError, RefusedError, UnavailableError
from ._log import Once
from ._settings import is_enabled
from ._sync import SyncLink
from ._wire import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Unpack

    from ._calls import Call
    from ._direct import Keeping, SyncLoader
    from ._durations import Duration
    from ._entry import Entry, Missing
    from ._link import Link

T = TypeVar("T")
R = TypeVar("R")


class Cache:
    """For `def`: one connection a thread, opened when it is first used. `raises`: where no sidecar answers, or it
    refuses, an error goes up; else that is a miss, or nothing done.
    """

    def __init__(self, socket: str | None = None, *, raises: bool = False) -> None:
        self._socket = socket
        self.link: Link = SyncLink(socket)
        self.raises = raises
        self._once = Once()
        self._made_loader: SyncLoader[Any] | None = None

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
            return self.ask(call)
        except PannierError as error:
            if call.later is not None and isinstance(error, UnavailableError):
                self.link.tell_later(call.later())
            if self.raises:
                raise
            if isinstance(error, RefusedError):
                self._once.warn(f"the sidecar refuses a request as {error.code}", error.message)
            return call.otherwise

    def ask(self, call: Call[R]) -> R:
        """Raises a PannierError, whatever the client was told."""
        return call.read(parse(self.link.exchange(call.line, call.wait, is_change=call.later is not None)))

    def namespace(self, ns: str, kind: type[T]) -> Namespace[T]:
        return Namespace(self, ns, kind)

    def get(self, ns: str, key: str, default: Any = MISS, *, stale: bool = False, strict: bool = False) -> Any:
        return UNTYPED.shown(self.run(calls.get(ns, key, stale=stale, strict=strict)), default)

    def get_entry(self, ns: str, key: str, *, stale: bool = False) -> Entry | None:
        return UNTYPED.entry(self.run(calls.get(ns, key, stale=stale, meta=True)))

    def get_many(self, ns: str, keys: Sequence[str]) -> dict[str, Any]:
        """Those that are there."""
        return UNTYPED.many(keys, self.run(calls.get_each(ns, keys)))

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
        return self.run(calls.set_value(ns, key, UNTYPED.encode(value), ttl=ttl, stale=stale, tags=tags))

    def add(self, ns: str, key: str, value: Any, ttl: Duration | None = None, *, tags: Sequence[str] = ()) -> bool:
        """Only where there is none."""
        return self.run(calls.set_value(ns, key, UNTYPED.encode(value), ttl=ttl, tags=tags, condition="absent"))

    def set_many(
        self, ns: str, items: Mapping[str, Any], ttl: Duration | None = None, *, tags: Sequence[str] = ()
    ) -> int:
        more = {"ttl": ttl, "tags": tags}
        return self.run(calls.set_each(ns, {key: (UNTYPED.encode(value), more) for key, value in items.items()}))

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

    @property
    def _loader(self) -> SyncLoader[Any]:
        if self._made_loader is None:
            from ._direct import SyncLoader

            self._made_loader = SyncLoader(self, UNTYPED.codec, raises=self.raises)
        return self._made_loader

    def get_or_set(self, ns: str, key: str, load: Callable[[], R], **keeping: Unpack[Keeping]) -> R:
        """What is there, or what `load()` returns, which is then kept: one load at a time for all of the host."""
        value: R = self._loader.one(ns, key, load, keeping)
        return value

    def get_or_set_many(
        self, ns: str, keys: Sequence[str], load: Callable[[list[str]], Mapping[str, R]], **keeping: Unpack[Keeping]
    ) -> dict[str, R]:
        """As `get_or_set`, with one call of `load(missing)` for the keys that nobody has or loads. Those that it has
        nothing for are left out.
        """
        return self._loader.many(ns, keys, load, keeping)

    def touch(self, ns: str, key: str, ttl: Duration | None = None, *, stale: Duration | None = None) -> bool:
        return self.run(calls.touch(ns, key, ttl, stale))

    def exists(self, ns: str, key: str) -> bool:
        return self.run(calls.exists(ns, key))

    def keys(self, ns: str, match: str | None = None, *, limit: int = 100, after: str | None = None) -> list[str]:
        return self.run(calls.keys(ns, match, limit, after))

    def stats(self, ns: str | None = None) -> dict[str, Any]:
        return self.run(calls.stats(ns), always=True)

    def explain(self, ns: str, key: str) -> dict[str, Any]:
        return self.run(calls.explain(ns, key), always=True)

    def policy(self, ns: str, **changes: Any) -> dict[str, Any]:
        return self.run(calls.policy(ns, changes or None), always=True)

    def watch(
        self, ns: str | None = None, *, events: Sequence[str] | None = None, sample: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """What happens, as PROTOCOL.md's events, until the sidecar ends; UnavailableError: there is none."""
        from ._watch import watch

        return watch(self._socket, ns, events, sample)

    def ping(self) -> bool:
        return self.run(calls.ping(), always=True)


class Namespace(Generic[T]):
    """One namespace of a cache, whose values are of one type."""

    def __init__(self, cache: Cache, ns: str, kind: type[T]) -> None:
        self._cache = cache
        self._ns = ns
        self._typed = Typed(kind)
        self._made_loader: SyncLoader[T] | None = None

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

    def get_many(self, keys: Sequence[str]) -> dict[str, T]:
        """Those that are there."""
        return self._typed.many(keys, self._cache.run(calls.get_each(self._ns, keys)))

    @property
    def _loader(self) -> SyncLoader[T]:
        if self._made_loader is None:
            from ._direct import SyncLoader

            self._made_loader = SyncLoader(self._cache, self._typed.codec, raises=self._cache.raises)
        return self._made_loader

    def get_or_set(self, key: str, load: Callable[[], T], **keeping: Unpack[Keeping]) -> T:
        return self._loader.one(self._ns, key, load, keeping)

    def get_or_set_many(
        self, keys: Sequence[str], load: Callable[[list[str]], Mapping[str, T]], **keeping: Unpack[Keeping]
    ) -> dict[str, T]:
        return self._loader.many(self._ns, keys, load, keeping)
