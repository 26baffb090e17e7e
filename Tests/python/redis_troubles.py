"""Redis's bad days: each makes one when entered; when it is left, Redis can be used again as far as Redis knows."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis

if TYPE_CHECKING:
    from redis_server import RedisServer
    from relay import Relay

# Which the server of a place must be started with.
FLAGS = ("--enable-debug-command", "yes")
PASSWORD = "right"
# So slowly are keys loaded, and so often Redis looks up from it.
SLOWLY = ("key-load-delay", "1000", "loading-process-events-interval-bytes", "1024")
# At a millisecond each.
LOADED_KEYS = 3000
SLEEP_SECONDS = 2
# Within which a script runs for long enough to be called busy.
BUSY_SECONDS = 20.0


@dataclass
class Place:
    redis: RedisServer
    # A way to it that can be cut.
    relay: Relay


Trouble = Callable[[Place], AbstractContextManager[None]]


@contextmanager
def killed(there: Place) -> Generator[None]:
    there.redis.kill()
    yield
    there.redis.start_again()


@contextmanager
def stopped(there: Place) -> Generator[None]:
    there.redis.signal(signal.SIGSTOP)
    yield
    there.redis.signal(signal.SIGCONT)


@contextmanager
def asleep(there: Place) -> Generator[None]:
    with aside(there, "DEBUG", "SLEEP", SLEEP_SECONDS):
        yield


@contextmanager
def busy(there: Place) -> Generator[None]:
    there.redis.call("CONFIG", "SET", "busy-reply-threshold", 50)
    with aside(there, "EVAL", "while true do end", 0):
        yield
        end_script(there)


@contextmanager
def full(there: Place) -> Generator[None]:
    there.redis.call("CONFIG", "SET", "maxmemory", 1)
    yield
    there.redis.call("CONFIG", "SET", "maxmemory", 0)


@contextmanager
def flushed(there: Place) -> Generator[None]:
    there.redis.call("FLUSHALL")
    yield


@contextmanager
def with_another_password(there: Place) -> Generator[None]:
    there.redis.call("CONFIG", "SET", "requirepass", "other")
    there.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    yield
    # Its own connection has been let in before.
    there.redis.call("CONFIG", "SET", "requirepass", PASSWORD)


@contextmanager
def loading(there: Place) -> Generator[None]:
    there.redis.call("DEBUG", "POPULATE", LOADED_KEYS)
    there.redis.call("CONFIG", "SET", *SLOWLY)
    with aside(there, "DEBUG", "RELOAD"):
        yield


@contextmanager
def started_again_and_loading(there: Place) -> Generator[None]:
    there.redis.call("DEBUG", "POPULATE", LOADED_KEYS)
    there.redis.call("SAVE")
    there.redis.kill()
    names, values = SLOWLY[::2], SLOWLY[1::2]
    there.redis.start(*(word for name, value in zip(names, values, strict=True) for word in (f"--{name}", value)))
    yield
    there.redis.wait_until_it_serves()


@contextmanager
def black_hole(there: Place) -> Generator[None]:
    with held(there):
        yield


@contextmanager
def black_hole_for_commands(there: Place) -> Generator[None]:
    with held(there, "pannier"):
        yield


@contextmanager
def black_hole_for_the_log(there: Place) -> Generator[None]:
    with held(there, "pannier-log"):
        yield


@contextmanager
def held(there: Place, *names: str) -> Generator[None]:
    """Nothing comes through of the connections so named; without a name, of all."""
    there.relay.hold(*names)
    yield
    there.relay.release()


@contextmanager
def aside(there: Place, *command: str | int) -> Generator[None]:
    """A command that is answered when it is over; then the block ends, too."""

    def call() -> None:
        with suppress(redis.ResponseError):
            there.redis.call(*command)

    thread = threading.Thread(target=call)
    thread.start()
    yield
    thread.join()


def end_script(there: Place) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            there.redis.call("SCRIPT", "KILL")
        except redis.ResponseError:
            # NOTBUSY: it has not run for as long yet.
            if time.monotonic() > deadline:
                raise
        else:
            return


def end_connections(there: Place, name: str) -> None:
    for number in there.redis.connections(name):
        there.redis.call("CLIENT", "KILL", "ID", number)
