"""The protocol's globs: `*` `?` `[abc]` `[a-z]` `[!abc]`, and `\\` before a character meant as itself. They fit
whole keys.
"""

from __future__ import annotations

import re

LONGEST_BYTES = 1024


class Glob:
    """A ValueError: it is none."""

    __slots__ = ("_fits", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._fits = re.compile(_expression(pattern), re.DOTALL).fullmatch

    def fits(self, key: str) -> bool:
        return self._fits(key) is not None


def _expression(pattern: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            if parts[-1:] != [".*"]:
                parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character == "[":
            part, at = _set(pattern, at)
            parts.append(part)
        else:
            if character == "\\":
                character, at = _next(pattern, at)
            parts.append(re.escape(character))
    return "".join(parts)


def _set(pattern: str, at: int) -> tuple[str, int]:
    """What stands between `[` and `]`; a `]` right after the opening is one of it, as in a shell."""
    is_negated = pattern.startswith("!", at)
    at += is_negated
    ranges: list[str] = []
    while at < len(pattern):
        low, at = pattern[at], at + 1
        if low == "]" and ranges:
            return f"[{'^' if is_negated else ''}{''.join(ranges)}]", at
        if low == "\\":
            low, at = _next(pattern, at)
        high = low
        if pattern.startswith("-", at) and at + 1 < len(pattern) and pattern[at + 1] != "]":
            high, at = pattern[at + 1], at + 2
            if high == "\\":
                high, at = _next(pattern, at)
        if low > high:
            raise ValueError("a range runs backwards")
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    raise ValueError("a [ is not closed")


def _next(pattern: str, at: int) -> tuple[str, int]:
    if at == len(pattern):
        raise ValueError("a \\ stands at the end")
    return pattern[at], at + 1
