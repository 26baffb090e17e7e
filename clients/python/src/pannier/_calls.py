"""Each op once, for sync and async clients alike: what is asked, how long that may take, and what the answer means.

It knows no sockets.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._durations import seconds
from ._given import listed
from ._unsent import TELL_SECONDS
from ._wire import NULL, Answer, ManyAnswer, get_line, item, line, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._durations import Duration

T_co = TypeVar("T_co", covariant=True)


class Call(Generic[T_co]):
    """A request, how long beyond its time it may wait, what its answer means, and what it comes to where no sidecar
    answers. `later`: of a change, makes what is to be told as soon as one answers again.
    """

    __slots__ = ("later", "line", "otherwise", "read", "wait")

    def __init__(
        self,
        line: bytes,
        read: Callable[[Answer], T_co],
        otherwise: T_co,
        wait: float = 0.0,
        later: Callable[[], bytes] | None = None,
    ) -> None:
        self.line = line
        self.read = read
        self.otherwise = otherwise
        self.wait = wait
        self.later = later


class Found:
    """What a `get` came to: `value`, a hit's bytes, and `fields`, of which a hit needs none but its lease."""

    __slots__ = ("fields", "value")

    def __init__(self, answer: Answer) -> None:
        self.fields = answer.fields
        self.value = answer.value

    @property
    def hit(self) -> bool:
        hit: bool = self.fields["hit"]
        return hit

    @property
    def lease(self) -> str | None:
        """With it the caller is to load the key, whether or not there is a stale value."""
        return self.fields.get("lease")

    @property
    def is_busy(self) -> bool:
        """Another loads it, and the wait is over."""
        return self.fields.get("busy") is True

    @property
    def failed(self) -> bool:
        """A load has just failed, and no other is let try yet."""
        return self.fields.get("failed") is True


MISSED = Found(Answer({"ok": True, "hit": False}, None))


def get(
    ns: str,
    key: str,
    *,
    lease: bool = False,
    wait: float | None = None,
    stale: bool = False,
    max_age: Duration | None = None,
    strict: bool = False,
    meta: bool = False,
) -> Call[Found]:
    if not stale and max_age is None and not strict and not meta:
        return Call(get_line(ns, key, lease, wait), Found, MISSED, wait or 0.0)
    fields = {
        "ns": ns,
        "key": key,
        "lease": lease or None,
        "wait": wait,
        "stale": stale or None,
        "max_age": seconds(max_age) if max_age is not None else None,
        "strict": strict or None,
        "meta": meta or None,
    }
    return Call(line("get", fields), Found, MISSED, wait or 0.0)


def get_each(
    ns: str, keys: Sequence[str], *, lease: bool = False, wait: float | None = None
) -> Call[list[Found] | None]:
    """One for each key; None: nobody answers."""

    def read(answer: Answer) -> list[Found] | None:
        return [Found(item) for item in answer.items] if isinstance(answer, ManyAnswer) else None

    asked = line("get", {"ns": ns, "keys": list(keys), "lease": lease or None, "wait": wait})
    return Call(asked, read, None, wait or 0.0)


def leases_back(asked: bytes, answered: bytes) -> list[bytes]:
    """What is to be asked because of an answer that nobody waits for any more: the leases that it brings would keep
    others waiting until their time is up.
    """
    if b'"lease":"' not in answered:
        return []
    request, answer = json.loads(asked), parse(answered)
    each = answer.items if isinstance(answer, ManyAnswer) else [answer]
    found = zip(request.get("keys") or [request["key"]], (Found(one).lease for one in each), strict=True)
    return [release(request["ns"], key, lease).line for key, lease in found if lease is not None]


# Of a `ttl`: none of its own, and not the policy's either.
FOREVER = "forever"


def set_value(
    ns: str,
    key: str,
    value: bytes,
    *,
    ttl: Duration | None = None,
    stale: Duration | None = None,
    tags: Sequence[str] = (),
    lease: str | None = None,
    condition: object = None,
) -> Call[bool]:
    fields = {"ns": ns, "key": key, **_kept_as(ttl, stale, tags, lease), "if": condition}
    # What was there before is not to be shown any more. A load, or a condition, has changed nothing.
    later = (lambda: delete(ns, [key]).line) if lease is None and condition is None else None
    return Call(line("set", fields, value), _stored, False, later=later)


def set_each(ns: str, items: Mapping[str, tuple[bytes, Mapping[str, Any]]]) -> Call[int]:
    """`items`: by key the value, with its `ttl`, `stale`, `tags` and `lease`."""
    parts = [item({"key": key, **_kept_as(**more)}, value) for key, (value, more) in items.items()]
    asked = line("set", {"ns": ns})[:-1] + b',"items":[' + b",".join(parts) + b"]}"
    plain = [key for key, (_, more) in items.items() if more.get("lease") is None]
    later = (lambda: delete(ns, plain).line) if plain else None
    return Call(asked, lambda answer: sum(item["stored"] for item in answer.fields["items"]), 0, later=later)


def _kept_as(
    ttl: Duration | None = None, stale: Duration | None = None, tags: Sequence[str] = (), lease: str | None = None
) -> dict[str, object]:
    return {**_life(ttl, stale), "tags": listed("tags", tags) or None, "lease": lease}


def _life(ttl: Duration | None, stale: Duration | None) -> dict[str, object]:
    return {
        "ttl": NULL if ttl == FOREVER else seconds(ttl) if ttl is not None else None,
        "stale": seconds(stale) if stale is not None else None,
    }


def _stored(answer: Answer) -> bool:
    stored: bool = answer.fields["stored"]
    return stored


def delete(ns: str, keys: Sequence[str], *, soft: bool = False) -> Call[int]:
    asked = line("delete", {"ns": ns, "keys": list(keys), "soft": soft or None})
    return Call(asked, _count("deleted"), 0, later=lambda: asked)


def clear(
    ns: str, *, match: str | None = None, tags: Sequence[str] = (), soft: bool = False, dry_run: bool = False
) -> Call[int]:
    fields = {
        "ns": ns,
        "match": match,
        "tags": listed("tags", tags) or None,
        "soft": soft or None,
        "dry_run": dry_run or None,
    }
    # Its walk is done in slices, and its answer comes at the end.
    asked = line("clear", fields)
    return Call(asked, _count("cleared"), 0, wait=TELL_SECONDS, later=None if dry_run else lambda: asked)


def _count(name: str) -> Callable[[Answer], int]:
    def read(answer: Answer) -> int:
        count: int = answer.fields[name]
        return count

    return read


def touch(ns: str, key: str, ttl: Duration | None, stale: Duration | None) -> Call[bool]:
    return Call(line("touch", {"ns": ns, "key": key, **_life(ttl, stale)}), _flag("touched"), False)


def exists(ns: str, key: str) -> Call[bool]:
    return Call(line("exists", {"ns": ns, "key": key}), _flag("exists"), False)


def release(ns: str, key: str, lease: str, *, failed: bool = False, passes: bool = False) -> Call[bool]:
    fields = {"ns": ns, "key": key, "lease": lease, "failed": failed or None, "pass": passes or None}
    return Call(line("release", fields), _flag("released"), False)


def _flag(name: str) -> Callable[[Answer], bool]:
    def read(answer: Answer) -> bool:
        flag: bool = answer.fields[name]
        return flag

    return read


def keys(ns: str, match: str | None, limit: int, after: str | None) -> Call[list[str]]:
    fields = {"ns": ns, "match": match, "limit": limit, "after": after}
    return Call(line("keys", fields), lambda answer: answer.fields["keys"], [])


def stats(ns: str | None) -> Call[dict[str, Any]]:
    return Call(line("stats", {"ns": ns}), _fields, {"ok": False, "namespaces": {}})


def explain(ns: str, key: str) -> Call[dict[str, Any]]:
    return Call(line("explain", {"ns": ns, "key": key}), _fields, {"ok": False})


def policy(ns: str, changes: dict[str, Any] | None) -> Call[dict[str, Any]]:
    return Call(line("policy", {"ns": ns, "set": changes}), lambda answer: answer.fields["policy"], {})


def ping() -> Call[bool]:
    return Call(line("ping", {}), lambda _: True, False)


def _fields(answer: Answer) -> dict[str, Any]:
    return answer.fields
