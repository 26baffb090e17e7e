"""Measures how soon one sidecar shows what another was told, and what a value in Redis costs that memory hasn't."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile
from redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from figures import Figures
    from link import Link

ROUNDS = 5000
SOAK_ROUNDS = 100_000
# Each slice of keys is read all three ways before the next: a machine that grows slow is so for all of them.
COLD_SLICES = 10
SLICE_KEYS = 500
VALUE = "x" * 100
# Milliseconds from the writer's answer to the first read elsewhere that shows it.
MEDIAN_BOUND = 1.0
P99_BOUND = 5.0
# What a value in Redis may cost its reader: so many bare round trips to Redis, and one to a sidecar with it in memory.
GET_BOUND = 1.5
START_SECONDS = 10.0
# Beyond it a change has not come at all.
LONGEST_SECONDS = 10.0


def measure(figures: Figures) -> None:
    figures.heading("Sidecars that share a Redis", "Two of them and the Redis on one machine, over Unix sockets.")
    with sidecars() as (links, _):
        lag(figures, *links, ROUNDS)
        strict(figures, *links, ROUNDS)
    figures.note(
        "Each process where the system puts it: on some machines who waits on another processor is woken 20 µs late."
    )
    cold(figures)
    figures.note("All of them on one processor, so that their own work is what counts.")
    with on_one_processor():
        cold(figures)


def soak(figures: Figures, share: float) -> None:
    rounds = round(SOAK_ROUNDS * share)
    figures.heading(f"Sidecars that share a Redis, {rounds:,} rounds")
    with sidecars() as (links, _):
        lag(figures, *links, rounds)
        strict(figures, *links, rounds)


def lag(figures: Figures, a: Link, b: Link, rounds: int) -> None:
    """Each round writes on one and reads on the other until it shows it, which had the older value in its memory."""
    get = b'{"op":"get","ns":"bench","key":"lag"}\n'
    times: list[float] = []
    reads = 0
    for number in range(rounds):
        a.ask({"op": "set", "ns": "bench", "key": "lag", "value": number})
        answered = time.perf_counter()
        wanted = b'{"ok":true,"hit":true,"value":%d}\n' % number
        while True:
            b.send(get)
            reads += 1
            if b.receive(1) == wanted:
                break
            if time.perf_counter() - answered > LONGEST_SECONDS:
                raise RuntimeError(f"round {number} has not come within {LONGEST_SECONDS:g} s")
        times.append(1000 * (time.perf_counter() - answered))
    figures.figure("from a write's answer to another's read, median", quantile(times, 0.5), MEDIAN_BOUND, "ms")
    figures.figure("p99", quantile(times, 0.99), P99_BOUND, "ms", f"{reads:,} reads for {rounds:,} writes")
    figures.figure("the longest", max(times), unit="ms")


def strict(figures: Figures, a: Link, b: Link, rounds: int) -> None:
    get = b'{"op":"get","ns":"bench","key":"strict","strict":true}\n'
    older = 0
    for number in range(rounds):
        a.ask({"op": "set", "ns": "bench", "key": "strict", "value": number})
        b.send(get)
        if b.receive(1) != b'{"ok":true,"hit":true,"value":%d}\n' % number:
            older += 1
    figures.check(f"strict reads of {rounds:,} that show something older", older == 0, f"{older:,}")


def cold(figures: Figures) -> None:
    """What one stored is read through the other: from Redis, and then from memory."""
    with tempfile.TemporaryDirectory(prefix="pannier-bench-") as folder:
        times = Path(folder) / "times"
        shim = compiled("turn_times.c", Path(folder) / "turn_times.so", "-shared", "-fPIC", "-ldl")
        program = compiled("bare_get.c", Path(folder) / "bare_get", "-luv", "-lhiredis")
        bare: list[float] = []
        from_redis: list[float] = []
        from_memory: list[float] = []
        with sidecars(["env", f"LD_PRELOAD={shim}", f"TURN_TIMES={times}"]) as ((a, b), server):
            for number in range(COLD_SLICES):
                keys = [f"cold:{number}:{place}" for place in range(SLICE_KEYS)]
                a.ask({"op": "set", "ns": "bench", "items": [{"key": key, "value": VALUE} for key in keys]})
                lines = [b'{"op":"get","ns":"bench","key":"%s"}\n' % key.encode() for key in keys]
                bare.append(bare_get(program, server, f"pannier:bench:cold:{number}:", SLICE_KEYS))
                from_redis += [timed(b, line) for line in lines]
                from_memory += [timed(b, line) for line in lines]
        inside = [tuple(map(float, line.split())) for line in times.read_text(encoding="ascii").splitlines()]
    if len(inside) != 2 * COLD_SLICES * SLICE_KEYS:
        raise RuntimeError(f"{len(inside)} requests were timed in the sidecar, of {2 * COLD_SLICES * SLICE_KEYS}")
    once, memory = quantile(bare, 0.5), quantile(from_memory, 0.5)
    figures.figure("a bare GET of the same values by hiredis on libuv, median", once, unit="µs")
    figures.figure("a get that memory answers", memory, unit="µs")
    figures.figure("a get that Redis answers", quantile(from_redis, 0.5), GET_BOUND * once + memory, "µs")
    for name, part in (("Redis", 0), ("memory", 1)):
        times_there = [pair for at, pair in enumerate(inside) if at // SLICE_KEYS % 2 == part]
        handed, returned = (quantile([pair[place] for pair in times_there], 0.5) for place in range(2))
        # On the client's processor write returns when the client has taken its turn: that is no time of the sidecar's.
        bound = GET_BOUND * once if name == "Redis" else None
        more = f"until write returns {returned:.2f}"
        figures.figure(f"that {name} answers, from its reading to its answer's write", handed, bound, "µs", more)


@contextmanager
def on_one_processor() -> Generator[None]:
    """This process, and those that it starts meanwhile."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def timed(link: Link, line: bytes) -> float:
    """Microseconds from the request to its answer, a hit."""
    began = time.perf_counter()
    link.send(line)
    answer = link.receive(1)
    seconds = time.perf_counter() - began
    if b'"hit":true' not in answer:
        raise RuntimeError(f"no hit: {answer!r}")
    return 1e6 * seconds


def bare_get(program: Path, server: Path, prefix: str, count: int) -> float:
    """The median in microseconds, of a process that does nothing else."""
    run = subprocess.run([str(program), str(server), prefix, str(count)], check=True, stdout=subprocess.PIPE, text=True)
    return float(run.stdout)


def compiled(source: str, result: Path, *flags: str) -> Path:
    subprocess.run([compiler(), "-O2", str(Path(__file__).with_name(source)), "-o", str(result), *flags], check=True)
    return result


def compiler() -> str:
    """The one that comes with Swift, which is the only one that must be there."""
    swift = shutil.which("swift") or "/opt/swift/usr/bin/swift"
    beside = Path(swift).resolve().with_name("clang")
    return str(beside) if beside.exists() else "clang"


@contextmanager
def sidecars(under_second: Sequence[str] = ()) -> Generator[tuple[tuple[Link, Link], Path]]:
    """A connection to each of two sidecars, and the socket of their Redis."""
    with ExitStack() as running:
        server = running.enter_context(RedisServer())
        links: list[Link] = []
        configuration = f"redis: {server.url}\ndefaults: {{jitter: 0}}\n"
        for under in ((), under_second):
            daemon = running.enter_context(Daemon(configuration=configuration, under=under))
            links.append(running.enter_context(daemon.connect()))
        deadline = time.monotonic() + START_SECONDS
        while any(link.ask({"op": "stats"})["redis"]["state"] != "up" for link in links):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Redis is not used within {START_SECONDS:g} s: {links[0].ask({'op': 'stats'})}")
        yield (links[0], links[1]), server.socket
