"""A connection without a socket: who is at its other end, what it is told, and which of its lines wait for which. It
decides nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._entries import Caller
    from ._events import Event
    from ._refusal import RefusalError


class Watch(NamedTuple):
    """`ns` None: every namespace. `share`: of the events shown."""

    ns: str | None
    kinds: list[str]
    share: float

    def wants(self, event: Event, chance: float) -> bool:
        return event.kind in self.kinds and self.ns in (None, event.ns) and chance < self.share


class Session:
    """`hear` is told of each line, without its end, and must not ask anything in turn."""

    def __init__(self, caller: Caller, hear: Callable[[bytes], None]) -> None:
        self.caller = caller
        self.hear = hear
        # A request without id is being worked on: others without one wait for it, in their order.
        self.is_blocked = False
        self.waiting: deque[bytes] = deque()
        # Requests with id that are being worked on.
        self.parked = 0
        self.watch: Watch | None = None
        # Nothing that follows is taken; it closes once all before it is answered, and `farewell` is said.
        self.is_ending = False
        self.farewell: RefusalError | None = None
        self.is_closed = False

    @property
    def in_flight(self) -> int:
        return self.parked + len(self.waiting) + self.is_blocked

    @property
    def is_holding(self) -> bool:
        """A line without id would overtake another now."""
        return self.is_blocked or bool(self.waiting)

    def block(self, identity: str | None) -> None:
        if identity is None:
            self.is_blocked = True
        else:
            self.parked += 1

    def unblock(self, identity: str | None) -> None:
        if identity is None:
            self.is_blocked = False
        else:
            self.parked -= 1
