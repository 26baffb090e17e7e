"""Starts two daemons on one path at the same moment, over and over: exactly one serves, the other says so and ends."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from daemon import START_SECONDS, TRY_SECONDS, Daemon
from link import Link

if TYPE_CHECKING:
    from figures import Figures

ROUNDS = 1000


def soak(figures: Figures, share: float) -> None:
    rounds = max(1, int(ROUNDS * share))
    figures.heading(f"Two daemons on one path, {rounds:,} times")
    with tempfile.TemporaryDirectory(prefix="pannier-soak-") as folder:
        path = Path(folder) / "pannier.sock"
        rivals = Daemon(socket=path), Daemon(socket=path)
        wins = [0, 0]
        try:
            for number in range(rounds):
                wins[contest(rivals, path, killed=number % 2 == 1)] += 1
            # After a kill the path has the socket of a dead process, and after an orderly end nothing.
            left = {file.name for file in Path(folder).iterdir()} - {path.name, path.name + ".lock"}
        finally:
            for rival in rivals:
                rival.kill()
                rival.forget()
    figures.note(f"one served and one refused each time; the first won {wins[0]:,}, the second {wins[1]:,}")
    figures.check("files left behind", not left, ", ".join(sorted(left)) or "none")


def contest(rivals: tuple[Daemon, Daemon], path: Path, *, killed: bool) -> int:
    """Which of the two serves."""
    processes = [rival.spawn() for rival in rivals]
    loser = first_to_end(processes)
    winner = 1 - loser
    status = processes[loser].wait()
    said = rivals[loser].log().splitlines()[-1:]
    if status <= 0 or not said or str(path) not in said[0]:
        raise RuntimeError(f"the one refused ended with {status} and said {said}")
    served_by = asked_pid(path)
    if served_by != processes[winner].pid:
        raise RuntimeError(f"{served_by} serves, not {processes[winner].pid}")
    status = rivals[winner].kill() if killed else rivals[winner].stop()
    if not killed and status != 0:
        raise RuntimeError(f"the one that served ended with {status}")
    return winner


def first_to_end(processes: list[subprocess.Popen[bytes]]) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for index, process in enumerate(processes):
            try:
                process.wait(TRY_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return index
    raise RuntimeError("both go on")


def asked_pid(path: Path) -> int:
    """The process that answers at the path. It may have taken it and not answer yet."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with Link(path) as link:
                link.ask({"op": "ping"})
                return link.peer_pid()
        except (FileNotFoundError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(TRY_SECONDS)
