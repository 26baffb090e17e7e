"""Keeps a sidecar that is gone from costing anything: after a failure it isn't asked for a while, and then by one
caller.
"""

from __future__ import annotations

import time

from ._log import warn


class Breaker:
    """For one socket and process. Between its states there is one line in the log, at each change."""

    __slots__ = ("_open_until", "_path", "_pause", "_probing_until", "is_cheap", "is_open")

    def __init__(self, path: str, pause: float) -> None:
        self._path = path
        self._pause = pause
        # False: the sidecar answers.
        self.is_open = False
        # To try it all the same costs next to nothing: it can't be connected to.
        self.is_cheap = False
        self._open_until = 0.0
        self._probing_until = 0.0

    def allows(self, *, is_change: bool = False) -> bool:
        """Whether the sidecar is to be asked. While it is out one caller in each pause tries it, and every change that
        is to be told, where that costs nothing.
        """
        if not self.is_open or (is_change and self.is_cheap):
            return True
        now = time.monotonic()
        if now < self._open_until or now < self._probing_until:
            return False
        self._probing_until = now + self._pause
        return True

    def fail(self, why: str, *, is_cheap: bool = False) -> None:
        self.is_cheap = is_cheap
        if not self.is_open:
            warn(f"the cache can't be used, and functions are simply called: {self._path}: {why}")
        self.is_open = True
        self._open_until = time.monotonic() + self._pause
        self._probing_until = 0.0

    def succeed(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._probing_until = 0.0
        warn(f"the cache is used again: {self._path}")
