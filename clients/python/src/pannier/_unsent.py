"""Changes that no sidecar could be told of. They are told before anything else is asked, as soon as one answers again:
what it, or the Redis behind it, still has would be shown for what it is not. It knows no sockets.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# For so long an answer to one is awaited, in seconds: a clear's comes when its walk is over.
TELL_SECONDS: Final = 10.0
# Beyond them all that there is is cleared: some megabytes of requests, after an outage with as many changes.
_MOST: Final = 10_000
_EVERYTHING: Final = b'{"op":"clear","ns":"*"}'


class Unsent:
    """Of one process and socket, whoever's threads and loops. A dict's steps are single ones, and need no lock."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        # Looked at with each request, to see whether there is any.
        self.lines: dict[bytes, None] = {}

    def add(self, line: bytes) -> None:
        if len(self.lines) >= _MOST:
            self.lines.clear()
            line = _EVERYTHING
        if _EVERYTHING not in self.lines:
            self.lines[line] = None

    def take(self) -> list[bytes]:
        """Whoever takes them tells them, or puts them back."""
        taken: list[bytes] = []
        while self.lines:
            try:
                taken.append(self.lines.popitem()[0])
            except KeyError:  # another thread was faster
                break
        return taken


_all: Final[dict[str, Unsent]] = {}
# A child's are its parent's to tell.
os.register_at_fork(after_in_child=_all.clear)


def unsent_for(path: str) -> Unsent:
    return _all.setdefault(path, Unsent())
