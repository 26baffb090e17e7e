"""What the client costs besides: its import, the decorator over a bare get, and calls without a sidecar, or with one
that hangs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import TYPE_CHECKING

from contenders import KEYS, Sockets, pannier_decorated, pannier_get

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STARTS = 31
CALLS = 200
ROUNDS = 101


def import_milliseconds() -> float:
    """Of `import pannier`, beyond the interpreter's own start: CPU time, with what was compiled before."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    _start("import pannier", environment)
    pairs = [(_start("import pannier", environment), _start("pass", environment)) for _ in range(STARTS)]
    return median(one - other for one, other in pairs) * 1000


def _start(code: str, environment: dict[str, str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decorator_microseconds(sockets: Sockets) -> float:
    """What a decorated function takes beyond a `get` of the same type, in turns: the median of the differences."""
    decorated, plain = pannier_decorated(sockets), pannier_get(sockets)
    _round(decorated)
    return median(_round(decorated) - _round(plain) for _ in range(ROUNDS))


def _round(call: Callable[[int], object]) -> float:
    """CPU time a call: what the processes beside it take doesn't count."""
    before = time.thread_time_ns()
    for turn in range(CALLS):
        call(turn % KEYS)
    return (time.thread_time_ns() - before) / CALLS / 1000


def absent_microseconds(folder: Path) -> float:
    """What a call takes beyond the function's own where there is no sidecar, once that is known."""
    import pannier

    pannier.configure(socket=folder / "nobody.sock", connect_timeout=0.05, request_timeout=0.2)

    def one(number: int) -> int:
        return number

    cached = pannier.cached("absent", key="{number}")(one)
    cached(1)
    times: list[float] = []
    for _ in range(ROUNDS):
        before = time.perf_counter_ns()
        cached(1)
        between = time.perf_counter_ns()
        one(1)
        times.append((between - before - (time.perf_counter_ns() - between)) / 1000)
    return median(times)


def hanging_milliseconds(folder: Path) -> tuple[float, float]:
    """The longest call, and the median of those behind it, where somebody listens and never answers."""
    import socket

    import pannier

    path = folder / "hangs.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        pannier.configure(socket=path)
        cached = pannier.cached("hanging", key="{number}")(_itself)
        times: list[float] = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            cached(1)
            times.append((time.perf_counter() - before) * 1000)
        pannier.cache.sync.close()
    return max(times), median(times[1:])


def _itself(number: int) -> int:
    return number
