"""What can go wrong between a client and its sidecar. By default none of it reaches a caller: it is a miss."""

from __future__ import annotations


class PannierError(Exception):
    """All of them."""


class UnavailableError(PannierError):
    """No answer: there is no sidecar, or it is too slow, or it has just failed and isn't asked again yet."""


class RefusedError(PannierError):
    """The sidecar answers with an error. `code` is one of those in PROTOCOL.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
