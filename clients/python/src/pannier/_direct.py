"""Loading without a decorator: `get_or_set` and `get_or_set_many`, of values that are all of one type. It knows no
sockets, and leaves what is done to `_loads` and `_batch`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from . import _calls as calls
from ._alone import Alone
from ._batch import load_many
from ._carry import AsyncCarrier, SyncCarrier
from ._durations import seconds
from ._loads import DEFAULT_WAIT, load
from ._log import Once
from ._plan import Plan
from ._settings import is_enabled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import TypedDict

    from ._async_cache import AsyncCache
    from ._cache import Cache
    from ._durations import Duration
    from ._values import Codec

    class Keeping(TypedDict, total=False):
        """How what is loaded is kept, and for how long a caller waits for another's load."""

        ttl: Duration | Callable[[Any], Duration] | None
        stale: Duration | None
        tags: Sequence[str]
        wait: Duration | None


T = TypeVar("T")

_NO_ARGUMENTS: Final[tuple[tuple[Any, ...], dict[str, Any]]] = ((), {})


class _Loader(Generic[T]):
    def __init__(self, codec: Codec[T], *, raises: bool) -> None:
        self._codec = codec
        self._raises = raises
        self._alone = Alone(codec)
        self._once = Once()

    def _plan(self, ns: str, keeping: Keeping) -> tuple[Plan, float]:
        wait = keeping.get("wait")
        plan = Plan(
            ns,
            ns,
            self._codec,
            ttl=keeping.get("ttl"),
            stale=keeping.get("stale"),
            tags=keeping.get("tags", ()),
            once=self._once,
        )
        return plan, DEFAULT_WAIT if wait is None else seconds(wait)

    def _many(self, plan: Plan, keys: Sequence[str], wait: float) -> Any:
        return load_many(plan, keys, lambda _: _NO_ARGUMENTS, wait, time.monotonic)


def _place(ns: str, key: str) -> str:
    # No namespace has a line feed.
    return f"{ns}\n{key}"


class SyncLoader(_Loader[T]):
    def __init__(self, client: Cache, codec: Codec[T], *, raises: bool) -> None:
        super().__init__(codec, raises=raises)
        self._client = client

    def one(self, ns: str, key: str, load_one: Callable[[], T], keeping: Keeping) -> T:
        if not is_enabled():
            return load_one()
        plan, wait = self._plan(ns, keeping)
        carrier = SyncCarrier(plan, self._client, self._alone, raises=self._raises)
        found = carrier.ask(calls.get(ns, key, lease=True))
        steps = load(plan, key, found, _NO_ARGUMENTS, wait)
        value: T = carrier.carry_out(steps, load_one, _place(ns, key))
        return value

    def many(
        self, ns: str, keys: Sequence[str], load_these: Callable[[list[str]], Mapping[str, T]], keeping: Keeping
    ) -> dict[str, T]:
        if not is_enabled():
            return dict(load_these(list(dict.fromkeys(keys))))
        plan, wait = self._plan(ns, keeping)
        carrier = SyncCarrier(plan, self._client, self._alone, raises=self._raises)
        values: dict[str, T] = carrier.carry_out(self._many(plan, keys, wait), load_these)
        return values


class AsyncLoader(_Loader[T]):
    def __init__(self, client: AsyncCache, codec: Codec[T], *, raises: bool) -> None:
        super().__init__(codec, raises=raises)
        self._client = client

    async def one(self, ns: str, key: str, load_one: Callable[[], Awaitable[T]], keeping: Keeping) -> T:
        if not is_enabled():
            return await load_one()
        plan, wait = self._plan(ns, keeping)
        carrier = AsyncCarrier(plan, self._client, self._alone, raises=self._raises)
        found = await carrier.ask(calls.get(ns, key, lease=True))
        steps = load(plan, key, found, _NO_ARGUMENTS, wait)
        value: T = await carrier.carry_out(steps, load_one, _place(ns, key))
        return value

    async def many(
        self,
        ns: str,
        keys: Sequence[str],
        load_these: Callable[[list[str]], Awaitable[Mapping[str, T]]],
        keeping: Keeping,
    ) -> dict[str, T]:
        if not is_enabled():
            return dict(await load_these(list(dict.fromkeys(keys))))
        plan, wait = self._plan(ns, keeping)
        carrier = AsyncCarrier(plan, self._client, self._alone, raises=self._raises)
        values: dict[str, T] = await carrier.carry_out(self._many(plan, keys, wait), load_these)
        return values
