"""A namespace's keys a page at a time, in an order that doesn't depend on what comes and goes meanwhile."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from ._refusal import RefusalError

if TYPE_CHECKING:
    from ._entries import Namespace
    from ._globs import Glob

_POSITION: Final = re.compile("[0-9A-Fa-f]{1,16}")


def page(
    ns: Namespace, match: Glob | None, limit: int, room: int, after: str | None, now: int
) -> tuple[list[str], str | None]:
    """At most `limit` keys, and of more than one no more than `room` bytes; and where the next page begins."""
    start = _position_of(after)
    shown = [
        (_position(entry.key), entry.key)
        for entry in ns.entries.values()
        if now < entry.end and (match is None or match.fits(entry.key))
    ]
    keys: list[str] = []
    for position, key in sorted(shown):
        if position < start:
            continue
        if len(keys) == limit or (keys and len(key.encode()) > room):
            return keys, f"{position:x}"
        keys.append(key)
        room -= len(key.encode())
    return keys, None


def _position(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def _position_of(after: str | None) -> int:
    if after is None:
        return 0
    # `int` alone would take signs, blanks, underscores and other scripts' digits, too.
    if not _POSITION.fullmatch(after):
        raise RefusalError("bad_request", '"after" must be what an answer gave as "next"')
    return int(after, 16)
