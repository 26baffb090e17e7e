"""What callers give where several things are wanted. One text is a sequence, too: of its letters."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def listed(what: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(f"{what} is {names!r}: expected a list of them")
    return tuple(names)
