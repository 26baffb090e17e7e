"""What a process is told of its sidecar: by variables, and by `configure()`, which may come at any time. It opens
nothing.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

# Where a system's own sidecar listens.
SYSTEM_SOCKET = "/run/pannier/pannier.sock"


class Settings:
    """Of a process. Times are in seconds."""

    __slots__ = ("breaker_pause", "connect_timeout", "enabled", "request_timeout", "socket", "version")

    def __init__(self) -> None:
        self.socket: str | None = None
        self.enabled = os.environ.get("PANNIER_ENABLED", "1").strip().lower() not in ("0", "false", "off", "no")
        self.connect_timeout = 0.05
        # Above the sidecar's `redis.timeout`, 0.1, for which it may keep an answer back.
        self.request_timeout = 0.2
        self.breaker_pause = 1.0
        # Changes with each `configure`, and in a child.
        self.version = 0

    def path(self, argument: str | None = None) -> str:
        """Argument, `configure`, variable, the user's own sidecar, the system's."""
        found = argument or self.socket or os.environ.get("PANNIER_SOCKET")
        if found:
            return found
        folder = os.environ.get("XDG_RUNTIME_DIR")
        if folder and os.path.exists(own := os.path.join(folder, "pannier.sock")):
            return own
        return SYSTEM_SOCKET

    def renew(self) -> None:
        """What was opened by them before is not used any more."""
        self.version += 1


settings = Settings()
# A child of a fork has none of its parent's connections.
os.register_at_fork(after_in_child=settings.renew)
_NAMES = ("socket", "enabled", "connect_timeout", "request_timeout", "breaker_pause")


def configure(
    *,
    socket: str | os.PathLike[str] | None = None,
    enabled: bool | None = None,
    connect_timeout: float | None = None,
    request_timeout: float | None = None,
    breaker_pause: float | None = None,
) -> None:
    """Changes what is given, from now on and for what was decorated before, too. Times are in seconds."""
    given: dict[str, Any] = {
        "socket": os.fspath(socket) if socket is not None else None,
        "enabled": enabled,
        "connect_timeout": connect_timeout,
        "request_timeout": request_timeout,
        "breaker_pause": breaker_pause,
    }
    for name in ("connect_timeout", "request_timeout", "breaker_pause"):
        if given[name] is not None and not given[name] > 0:
            raise ValueError(f"{name} is {given[name]!r}: expected seconds above 0")
    for name in _NAMES:
        if given[name] is not None:
            setattr(settings, name, given[name])
    settings.renew()


_disabled: ContextVar[int] = ContextVar("pannier_disabled", default=0)


class disabled:  # noqa: N801 - used as a statement
    """`with disabled():` functions run as if there were no cache, in this task or thread. Invalidations are sent."""

    def __enter__(self) -> None:
        self._token = _disabled.set(_disabled.get() + 1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _disabled.reset(self._token)


# In this task or thread; how many times over.
is_disabled_here = _disabled.get


def is_enabled() -> bool:
    return settings.enabled and not is_disabled_here()
