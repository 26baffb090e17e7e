"""What happened, for those who watch, and the number that each change has. It knows no connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ._text import quoted_list, quoted_text, seconds_text

if TYPE_CHECKING:
    from random import Random

KINDS: Final[tuple[str, ...]] = (
    "set",
    "fill",
    "delete",
    "clear",
    "expire",
    "evict",
    "lease",
    "release",
    "policy",
    "redis",
)


class Event(NamedTuple):
    kind: str
    ns: str
    line: bytes


class Log:
    """`sequence`: the number of the last change. It begins anywhere, so that nobody counts on a version."""

    def __init__(self, random: Random) -> None:
        self.sequence = random.randrange(1 << 52)
        self._events: list[Event] = []

    def next(self) -> int:
        self.sequence += 1
        return self.sequence

    def note(
        self,
        kind: str,
        ns: str,
        key: str | None = None,
        *,
        pid: int | None = None,
        soft: bool = False,
        match: str | None = None,
        tags: list[str] | None = None,
        more: str = "",
    ) -> None:
        """`more`: members that stand last, as they are written."""
        parts = [f'{{"event":"{kind}","ns":{quoted_text(ns)}']
        if key is not None:
            parts.append(f'"key":{quoted_text(key)}')
        if pid is not None:
            parts.append(f'"pid":{pid}')
        if soft:
            parts.append('"soft":true')
        if match is not None:
            parts.append(f'"match":{quoted_text(match)}')
        if tags:
            parts.append(f'"tags":{quoted_list(tags)}')
        if more:
            parts.append(more)
        self._events.append(Event(kind, ns, (",".join(parts) + "}").encode()))

    def note_stored(self, ns: str, key: str, pid: int, ttl: int | None, size: int, load: int | None) -> None:
        shown = f'"ttl":{"null" if ttl is None else seconds_text(ttl)},"size":{size}'
        if load is not None:
            shown += f',"load":{seconds_text(load)}'
        self.note("set" if load is None else "fill", ns, key, pid=pid, more=shown)

    def take(self) -> list[Event]:
        """Those since the last call."""
        events, self._events = self._events, []
        return events
