"""The parts of one answer, until they are a whole or turn out to be none. It sends nothing and asks nothing."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ._headers import length_of

if TYPE_CHECKING:
    from starlette.types import Message

    from ._headers import Headers


class State(Enum):
    MORE = "more"
    WHOLE = "whole"
    # Longer than it may be.
    SIZE = "size"
    # Its end came before, or after, the length that it said.
    INCOMPLETE = "incomplete"
    # Something that isn't a part of a body: a file, say, that the server is to send, and of which nothing is seen.
    STREAM = "stream"


class Collected:
    __slots__ = ("_limit", "_parts", "_size", "has_more", "headers", "start", "status")

    def __init__(self, start: Message, limit: int) -> None:
        self.start = start
        self.status: int = start["status"]
        self.headers: Headers = start["headers"]
        self.has_more = True
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, message: Message) -> State:
        if message["type"] != "http.response.body":
            return State.STREAM
        part: bytes = message.get("body", b"")
        self._parts.append(part)
        self._size += len(part)
        self.has_more = message.get("more_body", False)
        if self._size > self._limit:
            return State.SIZE
        if self.has_more:
            return State.MORE
        return State.WHOLE if length_of(self.headers) in (None, self._size) else State.INCOMPLETE

    @property
    def body(self) -> bytes:
        """As much as is there."""
        return b"".join(self._parts)
