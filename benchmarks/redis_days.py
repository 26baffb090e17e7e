"""Redis's bad days as they are measured: what is made bad, and how long that is looked at. It measures nothing."""

from __future__ import annotations

import random
import string
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis_troubles as troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from link import Answer, Link

# Beyond it nothing comes true any more.
LONGEST_SECONDS = 20.0


@dataclass
class Scene(troubles.Place):
    reader: Link
    other: Link


@dataclass
class Day:
    name: str
    trouble: Callable[[Scene], AbstractContextManager[None]]
    # How long it is looked at, from its beginning.
    seconds: float = 3.0
    # It is over as soon as it has begun, and looked at afterwards.
    is_moment: bool = False
    # What memory has stays there meanwhile.
    keeps: bool = True
    # Through a relay, over TCP; else straight, by the Unix socket.
    relayed: bool = False


def redis_of(link: Link) -> Answer:
    found: Answer = link.ask({"op": "stats"})["redis"]
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not come true")


def info(there: Scene, section: str, name: str) -> int:
    text = there.redis.text("INFO", section) or ""
    return int(text.partition(f"{name}:")[2].split("\r")[0])


@contextmanager
def evicting(there: Scene) -> Generator[None]:
    """More than it may keep, some of which it drops: maybe the log, maybe what says where the log is."""
    room = info(there, "memory", "used_memory") + (1 << 20)
    there.redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", room)
    text = random.Random(1)
    for first in range(0, 5000, 250):
        items = [
            {"key": f"many:{number}", "value": "".join(text.choices(string.ascii_letters, k=1000))}
            for number in range(first, first + 250)
        ]
        there.other.ask({"op": "set", "ns": "many", "items": items})
    if info(there, "stats", "evicted_keys") == 0:
        raise RuntimeError("nothing was evicted")
    yield
    there.redis.call("CONFIG", "SET", "maxmemory", 0)


@contextmanager
def refusing_writes(there: Scene) -> Generator[None]:
    with troubles.full(there):
        if "redis" not in there.other.ask({"op": "set", "ns": "many", "key": "k", "value": 1}):
            raise RuntimeError("there is room")
        yield


def without(name: str) -> Callable[[Scene], AbstractContextManager[None]]:
    """The connection so named is killed."""

    @contextmanager
    def run(there: Scene) -> Generator[None]:
        if name == "pannier-walk":
            # So much to go through that it is still at it.
            there.redis.call("DEBUG", "POPULATE", 200_000)
            there.other.ask({"op": "clear", "ns": "many"})
            until(lambda: bool(redis_of(there.other)["walk"]["running"]))
        if len(there.redis.connections(name)) != 1:
            raise RuntimeError(f"not one connection is named {name}")
        troubles.end_connections(there, name)
        yield

    return run


DAYS = [
    Day("kill -9 and restart", troubles.killed),
    Day("SIGSTOP for 3 s", troubles.stopped),
    Day(f"DEBUG SLEEP {troubles.SLEEP_SECONDS}", troubles.asleep, seconds=1.5),
    Day("a script without end", troubles.busy),
    Day("FLUSHALL", troubles.flushed, seconds=1, is_moment=True, keeps=False),
    Day("allkeys-lru, and full", evicting, seconds=1, keeps=False),
    Day("noeviction, and full", refusing_writes),
    Day("CLIENT KILL of commands", without("pannier"), seconds=1, is_moment=True),
    Day("CLIENT KILL of the log", without("pannier-log"), seconds=1, is_moment=True),
    Day("CLIENT KILL of the walk", without("pannier-walk"), seconds=1, is_moment=True),
    Day("another password", troubles.with_another_password),
    Day("restart, and LOADING", troubles.started_again_and_loading),
    Day("DEBUG RELOAD, LOADING", troubles.loading),
    Day("a black hole", troubles.black_hole, relayed=True),
    Day("a black hole for commands", troubles.black_hole_for_commands, relayed=True),
    Day("a black hole for the log", troubles.black_hole_for_the_log, relayed=True),
]
