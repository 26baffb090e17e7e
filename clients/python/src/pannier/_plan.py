"""What a function was decorated with, and the request that keeps its result. It runs no function and asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from . import _calls as calls
from ._errors import RefusedError
from ._log import Once
from ._values import NotCacheableError, codec_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._calls import Call
    from ._durations import Duration
    from ._errors import PannierError


class Plan:
    __slots__ = ("_condition", "_once", "_stale", "_tags", "_ttl", "codec", "name", "ns")

    def __init__(
        self,
        function: Callable[..., Any],
        ns: str,
        *,
        ttl: Duration | Callable[[Any], Duration] | None,
        stale: Duration | None,
        tags: Sequence[str],
        condition: Callable[[Any], bool] | None,
        returns: object,
    ) -> None:
        from ._templates import Template

        self.name = f"{function.__module__}.{function.__qualname__}"
        self.ns = ns
        self.codec = codec_for(_returned(function) if returns is None else returns)
        self._ttl = ttl
        self._stale = stale
        self._tags = [Template(tag, function, has_result=True) for tag in tags]
        self._condition = condition
        self._once = Once()

    def storing(
        self, key: str, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any], lease: str | None = None
    ) -> Call[bool] | None:
        """None: it is not to be kept."""
        if self._condition is not None and not self._condition(result):
            return None
        try:
            value = self.codec.encode(result)
        except NotCacheableError as error:
            self.tell("its result can't be kept", error)
            return None
        ttl = self._ttl(result) if callable(self._ttl) else self._ttl
        tags = [tag.key(args, kwargs, result) for tag in self._tags]
        return calls.set_value(self.ns, key, value, ttl=ttl, stale=self._stale, tags=tags, lease=lease)

    def tell(self, thing: str, details: object) -> None:
        """In the log, once each."""
        self._once.warn(f"{self.name}: {thing}", details)

    def tell_refusal(self, error: PannierError) -> None:
        """Whoever uses a function sees nothing of it but a cache that never hits. An outage the breaker tells."""
        if isinstance(error, RefusedError):
            self.tell(f"the sidecar refuses as {error.code}", error.message)


def _returned(function: Callable[..., Any]) -> object:
    try:
        return get_type_hints(function).get("return", Any)
    except NameError as error:
        raise TypeError(
            f"{function.__qualname__}: its annotations name what isn't there: {error}; give `returns=`"
        ) from None
