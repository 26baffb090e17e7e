"""One contender in a process of its own: each line that it is sent is a round, whose figures it answers with.

Usage: rounds.py KIND NAME PANNIER REDIS MEMCACHED; KIND is sync, asyncio or uvloop.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

from contenders import ASYNC, KEYS, SYNC, Sockets, value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS = 1000
TASKS = 32


def main(kind: str, name: str, sockets: Sockets) -> None:
    if kind == "sync":
        call = SYNC[name](sockets)
        check(call(1), name)
        for _ in sys.stdin:
            tell(one_by_one=sync_round(call))
        return
    loop = import_module("uvloop").new_event_loop() if kind == "uvloop" else asyncio.new_event_loop()
    loop.run_until_complete(rounds(ASYNC[name](sockets), name))


def check(found: Any, name: str) -> None:
    """It is a hit of the value: nothing else is worth measuring."""
    if name == "bare socket":
        assert b'"hit":true' in found, found
        return
    assert (found if isinstance(found, dict) else found.model_dump(mode="json")) == value(1), found


def sync_round(call: Callable[[int], object]) -> float:
    times: list[int] = []
    for turn in range(CALLS):
        number = turn % KEYS
        before = time.perf_counter_ns()
        call(number)
        times.append(time.perf_counter_ns() - before)
    return median(times) / 1000


async def rounds(call: Callable[[int], Awaitable[object]], name: str) -> None:
    # What fills the cache, where it isn't full yet, and then a hit.
    for number in range(KEYS):
        await call(number)
    check(await call(1), name)
    for _ in sys.stdin:
        tell(one_by_one=await async_round(call), at_once=await crowd(call))


async def async_round(call: Callable[[int], Awaitable[object]]) -> float:
    times: list[int] = []
    for turn in range(CALLS):
        number = turn % KEYS
        before = time.perf_counter_ns()
        await call(number)
        times.append(time.perf_counter_ns() - before)
    return median(times) / 1000


async def crowd(call: Callable[[int], Awaitable[object]]) -> float:
    """Time for a hit where 32 tasks ask at once, each for its own key."""

    async def task(number: int) -> None:
        for _ in range(CALLS // TASKS):
            await call(number)

    before = time.perf_counter_ns()
    await asyncio.gather(*(task(number) for number in range(TASKS)))
    return (time.perf_counter_ns() - before) / (CALLS // TASKS * TASKS) / 1000


def tell(**figures: float) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Sockets(*sys.argv[3:6]))
