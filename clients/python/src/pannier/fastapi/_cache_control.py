"""Cache-Control as text and what it says (RFC 9111, 5.2). It never raises: what is garbled is taken as the more
cautious of what it could mean.
"""

from __future__ import annotations

import re
from typing import Final

# Larger ones are this one (RFC 9111, 1.2.2): the most that the sidecar takes, ten years.
LONGEST_SECONDS: Final = 315_360_000
_OUTSIDE_QUOTES: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', re.DOTALL)


class CacheControl:
    """Names in lower case. A name with fields in quotes, `private="x"`, counts as the bare one does."""

    __slots__ = ("_said",)

    def __init__(self, text: str | None) -> None:
        self._said: dict[str, str] = {}
        for part in _parts(text) if text else ():
            name, _, argument = part.partition("=")
            name, argument = name.strip().lower(), argument.strip().strip('"').strip()
            # Said twice and differently it is no number, and what isn't a number is nought.
            self._said[name] = argument if self._said.get(name, argument) == argument else "conflict"

    def __contains__(self, name: str) -> bool:
        return name in self._said

    def seconds(self, name: str) -> int | None:
        """None: it isn't said. What isn't a number is nought: it is stale (RFC 9111, 4.2.1)."""
        argument = self._said.get(name)
        if argument is None:
            return None
        if not (argument.isascii() and argument.isdigit()):
            return 0
        return LONGEST_SECONDS if len(argument) > 10 else min(int(argument), LONGEST_SECONDS)


def _parts(text: str) -> list[str]:
    if text.count('"') % 2:
        # A quote that isn't closed may hide what stands behind it.
        return text.split(",")
    return _OUTSIDE_QUOTES.findall(text)
