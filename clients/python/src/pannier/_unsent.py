"""Changes that no sidecar could be told of. They are told before anything else is asked, as soon as one answers again:
what it, or the Redis behind it, still has would be shown for what it is not. It knows no sockets.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Beyond them all that there is is cleared: some megabytes of requests, after an outage with as many changes.
_MOST: Final = 10_000
_EVERYTHING: Final = b'{"op":"clear","ns":"*"}'


class Unsent:
    """Of one process and socket, whoever's threads and loops. A dict's steps are single ones, and need no lock."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[bytes, None] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: bytes) -> None:
        if len(self._lines) >= _MOST:
            self._lines.clear()
            line = _EVERYTHING
        if _EVERYTHING not in self._lines:
            self._lines[line] = None

    def take(self) -> list[bytes]:
        """Whoever takes them tells them, or puts them back."""
        taken: list[bytes] = []
        while self._lines:
            try:
                taken.append(self._lines.popitem()[0])
            except KeyError:  # another thread was faster
                break
        return taken


_all: Final[dict[str, Unsent]] = {}
# A child's are its parent's to tell.
os.register_at_fork(after_in_child=_all.clear)


def unsent_for(path: str) -> Unsent:
    return _all.setdefault(path, Unsent())
