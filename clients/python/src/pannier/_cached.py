"""`cached`: what it takes, and what it makes of a function. It asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

from ._async_cache import cache
from ._durations import seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Literal

    from ._async_cache import AsyncCache
    from ._durations import Duration
    from ._entry import Missing

P = ParamSpec("P")
R = TypeVar("R")


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
    on_error: Literal["call", "raise"] = "call",
    tokens: Callable[[Any], int] | None = None,
    client: AsyncCache | None = None,
) -> Decorator:
    """Keeps what a function returns, for all workers of the host.

    `cache_name`: the sidecar's namespace. `ttl`: seconds, `"10m"`, a timedelta, or a function of the result; None:
    the policy's. `key`: a template over the arguments; without it, and without `key_builder(function, args, kwargs)`,
    all arguments make the key, but for sessions, requests and clients, those in `ignore` and those annotated with
    NoKey. `condition(result)`: whether to keep it. `stale`: for how long after its ttl it may stand in for a function
    that fails. `version`: another one is another key. `returns`: the type, where the annotation doesn't say it.
    `wait`: for how long a caller waits for another's load. `on_error`: where no sidecar answers, or it refuses, the
    function is called, or its error raised. `tokens(result)`: what another run would have used; `counters` adds up what
    hits have saved.
    """
    if key is not None and key_builder is not None:
        raise TypeError("either a key or a key_builder")
    if on_error not in ("call", "raise"):
        raise ValueError(f'on_error is {on_error!r}: expected "call" or "raise"')

    def decorate(function: Callable[..., Any]) -> Any:
        from inspect import iscoroutinefunction

        # What only decorated functions need is imported by whoever decorates.
        from ._function import AsyncFunction, SyncFunction
        from ._loads import DEFAULT_WAIT
        from ._plan import FunctionPlan

        build = _key_of(function, key, key_builder, ignore, version)
        plan = FunctionPlan(
            function, cache_name, tags, returns, ttl=ttl, stale=stale, condition=condition, tokens=tokens
        )
        longest = DEFAULT_WAIT if wait is None else seconds(wait)
        kind = AsyncFunction if iscoroutinefunction(function) else SyncFunction
        return kind(function, plan, build, longest, client or cache, raises=on_error == "raise").wrapped()

    return cast("Decorator", decorate)


def _key_of(
    function: Callable[..., Any],
    template: str | None,
    builder: Callable[..., str] | None,
    ignore: Sequence[str],
    version: str | int | None,
) -> Callable[..., str]:
    """Called as the function is."""
    from ._templates import DefaultKey, Template

    suffix = "" if version is None else f":v{version}"
    if builder is not None:
        return lambda *args, **kwargs: builder(function, args, kwargs) + suffix
    if template is not None:
        return Template(template, function, suffix=suffix).key_of
    return DefaultKey(function, ignore, suffix).key_of
