"""Numbers as settings and requests write them: seconds, durations such as `1h30m`, sizes such as `64KiB`. Decimal
throughout, so that nothing is rounded on the way.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import Final

# Ten years, in milliseconds.
LONGEST: Final = 315_360_000_000
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-z]+)")
_TIMES: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_SIZES: Final = {
    "tib": 1 << 40,
    "gib": 1 << 30,
    "mib": 1 << 20,
    "kib": 1 << 10,
    "tb": 10**12,
    "gb": 10**9,
    "mb": 10**6,
    "kb": 1000,
    "b": 1,
}


class SpellingError(Exception):
    """A text that is not what it should be, and why."""


def scaled(text: str, unit: int) -> int:
    """A number as JSON has it, times `unit`, cut off towards zero; far beyond any limit where it is so large."""
    try:
        number = Decimal(text)
        if number.adjusted() > 30:
            return -(10**30) if number < 0 else 10**30
        return int(Context(prec=len(text) + 30, rounding=ROUND_DOWN).multiply(number, Decimal(unit)))
    except InvalidOperation:
        return 10**30


def seconds(text: str) -> int | None:
    """Of a JSON number, in milliseconds; None: it is below 0, or more than ten years."""
    found = scaled(text, 1000)
    is_below = text.startswith("-") and re.search("[1-9]", text.lower().partition("e")[0])
    return None if is_below or found > LONGEST else found


def span(text: str) -> int:
    """Of a duration as people write it, in milliseconds."""
    if _NUMBER.fullmatch(text):
        return scaled(text, 1000)
    total, at, units = 0, 0, list(_TIMES)
    while at < len(text) or not at:
        part = _PART.match(text, at)
        if not part or part[2] not in units:
            raise SpellingError(f"{quoted(text)} is not a duration; write 10m, 1h30m, 250ms or a number of seconds")
        total += scaled(part[1], _TIMES[part[2]])
        units = units[units.index(part[2]) + 1 :]
        at = part.end()
    return total


def size(text: str) -> int:
    """In bytes."""
    number = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)", text)
    if number and number[2].lower() in _SIZES:
        return scaled(number[1], _SIZES[number[2].lower()])
    found = whole(text)
    if found is None:
        raise SpellingError(f"{quoted(text)} is not a size; write 64KiB, 1.5GiB, 512KB or a number of bytes")
    return found


def whole(text: str) -> int | None:
    """None: it has a fraction, or is no number."""
    if not _NUMBER.fullmatch(text):
        return None
    found = scaled(text, 1)
    return found if abs(found) >= 10**30 or Decimal(text) == found else None


def duration_text(milliseconds: int) -> str:
    """The shortest exact spelling in one unit."""
    for unit, length in _TIMES.items():
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return "0s"


def size_text(count: int) -> str:
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if count and count % _SIZES[unit.lower()] == 0:
            return f"{count // _SIZES[unit.lower()]}{unit}"
    return str(count)


def quoted(text: str) -> str:
    shown = "".join(c if c.isprintable() or c == " " else f"\\u{{{ord(c):x}}}" for c in text[:64])
    return f'"{shown}{"…" if len(text) > 64 else ""}"'
