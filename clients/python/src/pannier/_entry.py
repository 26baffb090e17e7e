"""What callers are given for what an answer says: values by their type, MISS where there is none. It asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._values import codec_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._calls import Found
    from ._values import Codec


class Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISS"

    def __bool__(self) -> bool:
        return False


# What a `get` comes to where there is no value: None is one.
MISS: Final = Missing()


def value_of(found: Found, codec: Codec[Any]) -> Any:
    """MISS: there is nothing, or not of the type any more."""
    if found.value is None:
        return MISS
    try:
        return codec.decode(found.value)
    except ValueError:
        return MISS


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


class Typed:
    """What both kinds make of values."""

    def __init__(self, kind: object = Any) -> None:
        self.codec = codec_for(kind)

    def shown(self, found: Found, default: Any) -> Any:
        value = value_of(found, self.codec)
        return default if value is MISS else value

    def many(self, keys: Sequence[str], found: Sequence[Found] | None) -> dict[str, Any]:
        """Those that are there."""
        shown = {key: self.shown(one, MISS) for key, one in zip(keys, found or (), strict=False)}
        return {key: value for key, value in shown.items() if value is not MISS}

    def entry(self, found: Found) -> Entry | None:
        value = self.shown(found, MISS)
        return None if value is MISS else Entry(value, found.fields)

    def encode(self, value: Any) -> bytes:
        return self.codec.encode(value)


UNTYPED = Typed()
