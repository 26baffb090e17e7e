"""Measures what readers see of Redis's bad days: a sidecar is asked all the while. It knows no kind of bad day."""

from __future__ import annotations

import select
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemon import Daemon
from figures import quantile
from redis_days import DAYS, LONGEST_SECONDS, Scene, redis_of, until
from redis_server import RedisServer
from redis_troubles import FLAGS, PASSWORD
from relay import Relay

if TYPE_CHECKING:
    from collections.abc import Generator

    from figures import Figures
    from link import Link
    from redis_days import Day

SOAK_ROUNDS = 5
# What a miss may cost while Redis isn't known to be away, in milliseconds: redis.timeout, and what timers, turns of the
# loop and a machine with other work take.
TIMEOUT = 100.0
ALLOWANCE = 25.0
FIRST = 5
# Milliseconds; the tail is the machine's, and what it may be at most is far below another wait for Redis.
LATER_MEDIAN_BOUND = 1.0
LATER_P99_BOUND = 10.0
# Milliseconds from Redis's return until a value comes from it, and until its log is followed.
BACK_BOUND = 2000.0
WARM = 100
REFUSED = b'{"ok":false,'
# Between two misses, in seconds.
PACE_SECONDS = 0.002


@dataclass
class Seen:
    """What readers saw, in milliseconds."""

    hits: list[float] = field(default_factory=list[float])
    # Reads of what memory had before that it had no more.
    lost: int = 0
    misses: list[float] = field(default_factory=list[float])
    # From Redis's return until a value comes from it, and until the log is known to be followed to its end.
    back: float = 0
    followed: float = 0
    errors: int = 0


def measure(figures: Figures) -> None:
    days(figures, 1)


def soak(figures: Figures, share: float) -> None:
    days(figures, max(1, round(SOAK_ROUNDS * share)))


def days(figures: Figures, rounds: int) -> None:
    figures.heading(
        "Redis's bad days",
        f"Hits are memory's, which no reader may miss or get an error for. Of the first {FIRST} misses each may cost "
        f"{TIMEOUT:g} ms and {ALLOWANCE:g} more,\nof those after them the median {LATER_MEDIAN_BOUND:g} ms and the p99 "
        f"{LATER_P99_BOUND:g}. Values come from Redis within {BACK_BOUND:g} ms of its return, and its log is followed.",
    )
    names = (
        f"{'hits':>8} {'worst':>7} {'first 5':>8} {'misses':>7} {'median':>7} {'p99':>6} {'back':>6} {'log':>6} errors"
    )
    figures.note(f"{'milliseconds':<26} {names}")
    for _ in range(rounds):
        for day in DAYS:
            report(figures, day, live_through(day))


def report(figures: Figures, day: Day, seen: Seen) -> None:
    first, later = seen.misses[:FIRST], seen.misses[FIRST:]
    median, p99 = quantile(later, 0.5), quantile(later, 0.99)
    figures.note(
        f"{day.name:<26} {len(seen.hits):>8,} {max(seen.hits):>7.2f} {max(first):>8.2f} {len(later):>7,} "
        f"{median:>7.3f} {p99:>6.2f} {seen.back:>6.0f} {seen.followed:>6.0f} {seen.errors:>6}"
    )
    figures.require(f"{day.name}: hits of what memory has", not day.keeps or seen.lost == 0, f"{seen.lost} were none")
    figures.require(f"{day.name}: the first {FIRST} misses", max(first) <= TIMEOUT + ALLOWANCE, f"{max(first):.1f} ms")
    figures.require(f"{day.name}: misses later, median", median <= LATER_MEDIAN_BOUND, f"{median:.3f} ms")
    figures.require(f"{day.name}: misses later, p99", p99 <= LATER_P99_BOUND, f"{p99:.2f} ms")
    figures.require(f"{day.name}: from Redis's return", seen.back <= BACK_BOUND, f"{seen.back:.0f} ms")
    figures.require(f"{day.name}: the same for the log", seen.followed <= BACK_BOUND, f"{seen.followed:.0f} ms")
    figures.require(f"{day.name}: errors to readers", seen.errors == 0, f"{seen.errors}")


def live_through(day: Day) -> Seen:
    seen = Seen()
    with scene(day) as there:
        returned = time.perf_counter()
        with day.trouble(there):
            if not day.is_moment:
                ask(there, seen, day.seconds)
        lost = seen.lost
        if not day.is_moment:
            returned = time.perf_counter()
        wait_for_use(there, seen, returned)
        if day.is_moment:
            ask(there, seen, day.seconds)
        else:
            # What was lost with Redis is given up when it is back.
            seen.lost = lost
        seen.errors = sum(there.other.ask({"op": "stats"})["errors"].values())
    return seen


def wait_for_use(there: Scene, seen: Seen, returned: float) -> None:
    while not seen.back or not seen.followed:
        ask(there, seen, PACE_SECONDS)
        if not seen.back and is_served(there, seen):
            seen.back = 1000 * (time.perf_counter() - returned)
        log = redis_of(there.other)["log"]
        # The proof may be of before.
        if not seen.followed and log["proven"] is not None and log["proven"] < time.perf_counter() - returned:
            seen.followed = 1000 * (time.perf_counter() - returned)
        if time.perf_counter() - returned > LONGEST_SECONDS:
            raise RuntimeError(f"Redis is not used again: {redis_of(there.other)}")


@contextmanager
def scene(day: Day) -> Generator[Scene]:
    with ExitStack() as open_ones:
        redis = open_ones.enter_context(RedisServer(*FLAGS, password=PASSWORD))
        relay = open_ones.enter_context(Relay(redis.socket))
        url = relay.url if day.relayed else redis.url
        settings = [
            f"redis: {{url: '{url}', password: {PASSWORD}}}",
            "defaults: {jitter: 0}",
            "namespaces: {far: {tiers: [redis]}}\n",
        ]
        daemon = open_ones.enter_context(Daemon(configuration="\n".join(settings)))
        reader = open_ones.enter_context(daemon.connect())
        other = open_ones.enter_context(daemon.connect())
        until(lambda: redis_of(other)["log"]["proven"] is not None)
        items = [{"key": f"warm:{number}", "value": number} for number in range(WARM)]
        other.ask({"op": "set", "ns": "bench", "items": items})
        yield Scene(redis, relay, reader, other)


def ask(there: Scene, seen: Seen, seconds: float) -> None:
    """Reads what nobody has, one after another, and meanwhile what memory has."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        there.reader.send(b'{"op":"get","ns":"bench","key":"none:%d"}\n' % len(seen.misses))
        while not select.select([there.reader], [], [], 0)[0]:
            hit(there.other, seen)
        answer = there.reader.receive(1)
        seen.misses.append(1000 * (time.perf_counter() - began))
        # An error is counted by the sidecar.
        if answer != b'{"ok":true,"hit":false}\n' and not answer.startswith(REFUSED):
            raise RuntimeError(f"no miss: {answer!r}")
        pause = time.perf_counter() + PACE_SECONDS
        while time.perf_counter() < pause:
            hit(there.other, seen)


def hit(link: Link, seen: Seen) -> None:
    number = len(seen.hits) % WARM
    began = time.perf_counter()
    link.send(b'{"op":"get","ns":"bench","key":"warm:%d"}\n' % number)
    answer = link.receive(1)
    seen.hits.append(1000 * (time.perf_counter() - began))
    if b'"hit":false' in answer or answer.startswith(REFUSED):
        seen.lost += 1
    elif answer != b'{"ok":true,"hit":true,"value":%d}\n' % number:
        raise RuntimeError(f"neither the value nor a miss: {answer!r}")


def is_served(there: Scene, seen: Seen) -> bool:
    """Whether Redis has what it is given now, and gives it: memory keeps nothing of that namespace."""
    value = len(seen.misses)
    if "redis" in there.other.ask({"op": "set", "ns": "far", "key": "k", "value": value}):
        return False
    answer = there.other.ask({"op": "get", "ns": "far", "key": "k", "meta": True})
    return answer.get("tier") == "redis" and bool(answer["value"] == value)
