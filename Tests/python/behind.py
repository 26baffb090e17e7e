"""What the tests of write-behind share: how it is configured, and what is seen of it from outside."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon import Daemon
    from redis_server import RedisServer
    from sidecars import Host

STORED = {"ok": True, "stored": True}
QUEUED = {"ok": True, "stored": True, "redis": "queued"}
MISS = {"ok": True, "hit": False}
# Longer than any test: what is in Redis before was hurried there.
NEVER = "behind: {interval: 1h}"


def behind(policy: str = "") -> str:
    return f"namespaces: {{q: {{write: behind, {policy}}}}}"


def in_redis(redis: RedisServer, key: str = "k") -> str | None:
    """The value's payload."""
    found = redis.text("GET", f"pannier:q:{key}")
    return found.partition("\n")[2] if found is not None else None


def pending(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = host.redis()["behind"]
    return found


def end(daemon: Daemon) -> None:
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def configured(redis: RedisServer, policy: str = NEVER) -> str:
    return f"redis: {redis.url}\ndefaults: {{jitter: 0}}\n{behind(policy)}"
