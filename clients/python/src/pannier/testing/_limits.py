"""The protocol's limits, by its names. Those of the transport are told of and not watched over: there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._spans import SpellingError, size, span
from ._text import seconds_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMES = ("output_time", "line_time")
_SIZES = ("line_bytes", "key_bytes", "output_bytes")


class Limits:
    """Sizes in bytes, times in milliseconds."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.line_bytes = 16 << 20
        self.key_bytes = 1024
        self.nesting = 128
        self.items = 1000
        self.namespaces = 1024
        self.connections = 1024
        self.in_flight = 1024
        self.output_bytes = 32 << 20
        self.output_time = 10_000
        self.line_time = 10_000
        self.loads = 100_000
        self.waiting_per_key = 10_000
        self.waiting = 100_000
        for name, value in given.items():
            if name not in vars(self):
                raise ValueError(f"there is no limit {name!r}: expected one of {', '.join(vars(self))}")
            setattr(self, name, _read(name, value))

    def shown(self) -> dict[str, str]:
        """As `hello` tells them: times in seconds."""
        return {name: seconds_text(value) if name in _TIMES else str(value) for name, value in vars(self).items()}


def _read(name: str, value: object) -> int:
    text = str(value)
    try:
        found = span(text) if name in _TIMES else size(text) if name in _SIZES else int(text)
    except (SpellingError, ValueError):
        found = 0
    if found < 1:
        raise ValueError(f"limits.{name} is {value!r}: expected a number above 0")
    return found
