"""Redis's bad days, one by one: how each begins, and how it ends. It measures nothing."""

from __future__ import annotations

import random
import signal
import string
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis_process import RedisLink

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from link import Answer, Link
    from redis_process import RedisProcess
    from relay import Relay

# Beyond it nothing comes true any more.
LONGEST_SECONDS = 20.0
PASSWORD = "right"
# So slowly are keys loaded, and so often Redis looks up from it.
SLOWLY = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")


@dataclass
class Scene:
    redis: RedisProcess
    relay: Relay
    reader: Link
    other: Link
    open_ones: ExitStack


@dataclass
class Day:
    """`begin` makes it bad; `end` returns when Redis can be used again, as far as Redis knows. None: it is over at
    once.
    """

    name: str
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None] | None
    # How long it is looked at, from its beginning.
    seconds: float = 3.0
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
    with there.redis.connect() as link:
        text = link.call("INFO", section)
    if not isinstance(text, bytes):
        raise RuntimeError("INFO tells nothing")
    return int(text.partition(f"{name}:".encode())[2].split(b"\r")[0])


def command(*words: str | int) -> Callable[[Scene], None]:
    def run(there: Scene) -> None:
        with there.redis.connect() as link:
            link.call(*words)

    return run


def unanswered(*words: str | int) -> Callable[[Scene], None]:
    """Sends what Redis answers only when it is over."""

    def run(there: Scene) -> None:
        there.open_ones.enter_context(there.redis.connect()).send(*words)

    return run


def wait(there: Scene) -> None:
    there.redis.wait_until_it_serves()


def kill(there: Scene) -> None:
    there.redis.kill()


def start(there: Scene) -> None:
    there.redis.start()
    there.redis.wait_until_it_serves()


def stop(there: Scene) -> None:
    there.redis.signal(signal.SIGSTOP)


def go_on(there: Scene) -> None:
    there.redis.signal(signal.SIGCONT)


def run_for_ever(there: Scene) -> None:
    command("CONFIG", "SET", "busy-reply-threshold", 50)(there)
    unanswered("EVAL", "while true do end", 0)(there)


def fill_up(there: Scene) -> None:
    """More than it may keep, some of which it drops: maybe the log, maybe what says where the log is."""
    room = info(there, "memory", "used_memory") + (1 << 20)
    command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", room)(there)
    text = random.Random(1)
    for first in range(0, 5000, 250):
        items = [
            {"key": f"many:{number}", "value": "".join(text.choices(string.ascii_letters, k=1000))}
            for number in range(first, first + 250)
        ]
        there.other.ask({"op": "set", "ns": "many", "items": items})
    if info(there, "stats", "evicted_keys") == 0:
        raise RuntimeError("nothing was evicted")


def refuse_writes(there: Scene) -> None:
    command("CONFIG", "SET", "maxmemory", 1)(there)
    if "redis" not in there.other.ask({"op": "set", "ns": "many", "key": "k", "value": 1}):
        raise RuntimeError("there is room")


def end_connection(name: str) -> Callable[[Scene], None]:
    def run(there: Scene) -> None:
        with there.redis.connect() as link:
            listed = link.call("CLIENT", "LIST")
            lines = listed.decode().splitlines() if isinstance(listed, bytes) else []
            found = [line.split()[0].removeprefix("id=") for line in lines if f" name={name} " in line]
            if len(found) != 1:
                raise RuntimeError(f"{len(found)} connections are named {name}")
            link.call("CLIENT", "KILL", "ID", found[0])

    return run


def end_walk(there: Scene) -> None:
    # So much to go through that it is still at it.
    command("DEBUG", "POPULATE", 200_000)(there)
    there.other.ask({"op": "clear", "ns": "many"})
    until(lambda: bool(redis_of(there.other)["walk"]["running"]))
    end_connection("pannier-walk")(there)


def change_password(there: Scene) -> None:
    with there.redis.connect() as link:
        link.call("CONFIG", "SET", "requirepass", "other")
        link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def change_password_back(there: Scene) -> None:
    with RedisLink(there.redis.path, "other") as link:
        link.call("CONFIG", "SET", "requirepass", PASSWORD)


def load_slowly(there: Scene) -> None:
    with there.redis.connect() as link:
        link.call("DEBUG", "POPULATE", 3000)
        link.call("SAVE")
    there.redis.kill()
    there.redis.start(*SLOWLY)


def reload_slowly(there: Scene) -> None:
    with there.redis.connect() as link:
        link.call("DEBUG", "POPULATE", 3000)
        link.call("CONFIG", "SET", *(word.removeprefix("--") for word in SLOWLY))
    unanswered("DEBUG", "RELOAD")(there)


def hold(*names: str) -> Callable[[Scene], None]:
    return lambda there: there.relay.hold(*names)


def release(there: Scene) -> None:
    there.relay.release()


DAYS = [
    Day("kill -9 and restart", kill, start),
    Day("SIGSTOP for 3 s", stop, go_on),
    Day("DEBUG SLEEP 2", unanswered("DEBUG", "SLEEP", 2), wait, seconds=1.5),
    Day("a script without end", run_for_ever, command("SCRIPT", "KILL")),
    Day("FLUSHALL", command("FLUSHALL"), None, seconds=1, keeps=False),
    Day("allkeys-lru, and full", fill_up, command("CONFIG", "SET", "maxmemory", 0), seconds=1, keeps=False),
    Day("noeviction, and full", refuse_writes, command("CONFIG", "SET", "maxmemory", 0)),
    Day("CLIENT KILL of commands", end_connection("pannier"), None, seconds=1),
    Day("CLIENT KILL of the log", end_connection("pannier-log"), None, seconds=1),
    Day("CLIENT KILL of the walk", end_walk, None, seconds=1),
    Day("another password", change_password, change_password_back),
    Day("restart, and LOADING", load_slowly, wait),
    Day("DEBUG RELOAD, LOADING", reload_slowly, wait),
    Day("a black hole", hold(), release, relayed=True),
    Day("a black hole for commands", hold("pannier"), release, relayed=True),
    Day("a black hole for the log", hold("pannier-log"), release, relayed=True),
]
