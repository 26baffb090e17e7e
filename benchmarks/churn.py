"""Clients that come and go without manners, over and over: nothing of them may stay, and the others are served."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from daemon import Daemon
from filling import VALUE, key_of

if TYPE_CHECKING:
    from figures import Figures
    from link import Link

ROUNDS = 10_000
# MiB that the process may grow by: what the allocator keeps, and nothing that grows with the rounds.
BOUND = 16
GET = b'{"op":"get","ns":"soak","key":"key-000000000000"}\n'
SET = f'{{"op":"set","ns":"soak","key":"{key_of(0)}","value":{VALUE}}}\n'.encode()
PING = b'{"op":"ping"}\n'
LONG = b'{"op":"set","ns":"soak","key":"long","value":"' + b"x" * 500_000


def soak(figures: Figures, share: float) -> None:
    rounds = max(10, int(ROUNDS * share))
    seed = random.randrange(1 << 32)
    figures.heading(f"Clients that break off, {rounds:,} connections", f"seed {seed}")
    source = random.Random(seed)
    with Daemon() as daemon, daemon.connect() as good:
        # What is allocated for the first client of each kind stays.
        for manner in MANNERS:
            with daemon.connect() as link:
                manner(link, source)
        descriptors = daemon.descriptors(clients=1)
        before = daemon.resident()
        for _ in range(rounds):
            with daemon.connect() as link:
                source.choice(MANNERS)(link, source)
            good.ask({"op": "ping"})
        after = daemon.descriptors(clients=1)
        figures.check("descriptors open, as before", after == descriptors, f"{after:>11,}")
        figures.figure("resident memory has grown by", (daemon.resident() - before) / (1 << 20), BOUND, "MiB")


def go_at_once(_link: Link, _source: random.Random) -> None:
    pass


def break_a_line_off(link: Link, source: random.Random) -> None:
    link.send(SET[: source.randrange(1, len(SET))])


def break_a_long_line_off(link: Link, source: random.Random) -> None:
    link.send(LONG[: source.randrange(1, len(LONG))])


def leave_answers_unread(link: Link, source: random.Random) -> None:
    link.send(source.choice((GET, SET, PING)) * source.randrange(1, 200))


def send_nonsense(link: Link, source: random.Random) -> None:
    link.send(source.randbytes(source.randrange(1, 400)) + b"\n")


def ask_and_say_the_end(link: Link, source: random.Random) -> None:
    count = source.randrange(1, 100)
    link.send(GET * count)
    link.say_end()
    answers = link.rest().count(b"\n")
    if answers != count:
        raise RuntimeError(f"{answers} answers came to {count} requests")


def watch_and_go(link: Link, _source: random.Random) -> None:
    link.ask({"op": "watch"})
    link.send(SET)


MANNERS = (
    go_at_once,
    break_a_line_off,
    break_a_long_line_off,
    leave_answers_unread,
    send_nonsense,
    ask_and_say_the_end,
    watch_and_go,
)
