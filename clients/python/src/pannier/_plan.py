"""What becomes of answers and of results: the value that is in one, and the request that keeps the other, for how long
and with which tags. It runs no function and asks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from . import _calls as calls
from ._counters import counts_of
from ._entry import MISS, value_of
from ._errors import RefusedError
from ._given import listed
from ._log import Once
from ._values import NotCacheableError, codec_for
from ._wire import PLAIN_HIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._calls import Call, Found
    from ._durations import Duration
    from ._errors import PannierError
    from ._values import Codec

    Arguments = tuple[tuple[Any, ...], dict[str, Any]]


_VALUE_AT = len(PLAIN_HIT)


class Plan:
    """For results that are all kept alike, whatever was asked for."""

    __slots__ = (
        "_condition",
        "_decode",
        "_once",
        "_stale",
        "_tags",
        "_tokens",
        "_ttl",
        "codec",
        "counts",
        "name",
        "ns",
    )

    def __init__(
        self,
        name: str,
        ns: str,
        codec: Codec[Any],
        *,
        ttl: Duration | Callable[[Any], Duration] | None = None,
        stale: Duration | None = None,
        tags: Sequence[str] = (),
        condition: Callable[[Any], bool] | None = None,
        tokens: Callable[[Any], int] | None = None,
        once: Once | None = None,
    ) -> None:
        # What the log calls it.
        self.name = name
        self.ns = ns
        self.codec = codec
        self._decode = codec.decoder()
        self.counts = counts_of(ns)
        self._ttl = ttl
        self._stale = stale
        self._tags = listed("tags", tags)
        self._condition = condition
        self._tokens = tokens
        self._once = once or Once()

    def quick(self, answer: bytes) -> Any:
        """The value of a plain hit, as most answers are; MISS: the answer has to be read."""
        if not answer.startswith(PLAIN_HIT):
            return MISS
        try:
            value = self._decode(answer[_VALUE_AT:-1])
        except ValueError:
            return MISS
        self.counts.hits += 1
        if self._tokens is not None:
            self.counts.tokens_avoided += self._tokens(value)
        return value

    def fresh(self, found: Found | None) -> Any:
        """The value that a caller gets without more ado; MISS: there is none, or it is this caller's to load."""
        if found is None or found.lease is not None:
            return MISS
        value = self.shown(found)
        if value is not MISS:
            self.counts.hits += 1
            if self._tokens is not None:
                self.counts.tokens_avoided += self._tokens(value)
        return value

    def shown(self, found: Found) -> Any:
        """MISS: there is nothing, or not of the type any more."""
        return value_of(found, self.codec)

    def storing(self, key: str, result: Any, arguments: Arguments, lease: str | None = None) -> Call[bool] | None:
        """None: it is not to be kept."""
        kept = self.kept(result, arguments)
        return None if kept is None else calls.set_value(self.ns, key, kept[0], lease=lease, **kept[1])

    def kept(self, result: Any, arguments: Arguments) -> tuple[bytes, Mapping[str, Any]] | None:
        """The value, and its `ttl`, `stale` and `tags`."""
        if self._condition is not None and not self._condition(result):
            return None
        try:
            value = self.codec.encode(result)
        except NotCacheableError as error:
            self.tell("its result can't be kept", error)
            return None
        ttl = self._ttl(result) if callable(self._ttl) else self._ttl
        return value, {"ttl": ttl, "stale": self._stale, "tags": self.tags(result, arguments)}

    def tags(self, result: Any, arguments: Arguments) -> Sequence[str]:  # noqa: ARG002 - of a function's plan
        return self._tags

    def tell(self, thing: str, details: object) -> None:
        """In the log, once each."""
        self._once.warn(f"{self.name}: {thing}", details)

    def tell_refusal(self, error: PannierError) -> None:
        """Whoever uses a function sees nothing of it but a cache that never hits. An outage the breaker tells."""
        if isinstance(error, RefusedError):
            self.tell(f"the sidecar refuses as {error.code}", error.message)


class FunctionPlan(Plan):
    """For what a function returns, whose tags are templates over its arguments and its result."""

    __slots__ = ("_templates",)

    def __init__(
        self, function: Callable[..., Any], ns: str, tags: Sequence[str], returns: object = None, **options: Any
    ) -> None:
        from ._templates import Template

        codec = codec_for(returned(function) if returns is None else returns)
        super().__init__(f"{function.__module__}.{function.__qualname__}", ns, codec, **options)
        self._templates = [Template(tag, function, has_result=True) for tag in listed("tags", tags)]

    def tags(self, result: Any, arguments: Arguments) -> Sequence[str]:
        return [template.key(*arguments, result) for template in self._templates]


def returned(function: Callable[..., Any]) -> object:
    try:
        return get_type_hints(function).get("return", Any)
    except NameError as error:
        raise TypeError(
            f"{function.__qualname__}: its annotations name what isn't there: {error}; give `returns=`"
        ) from None
