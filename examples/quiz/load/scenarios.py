"""What is tried: each scenario starts an arrangement, drives it, and tells what came of it. It judges nothing."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.config import Settings
from load.connection import Connection, request
from load.databases import Databases
from load.driver import BUSY, LIGHT, Driver, Result
from load.figures import Figures, figures, median_ms, p99_ms, reads
from load.mix import USERS, Step, steps
from load.trial import Arrangement, Trial
from seed import user_id
from stage.application import Standins

SEED = 20


@dataclass(frozen=True)
class Size:
    """How much of each is asked. `warm_up` isn't measured; the load is the same for every arrangement."""

    warm_up: int
    # Where there is nothing to warm but the processes.
    run_in: int
    requests: int
    light_requests: int
    # Of an outage: before, while, and after it.
    phase_seconds: float
    expiring_seconds: float
    duplicates: int


FULL = Size(
    warm_up=2000,
    run_in=300,
    requests=6000,
    light_requests=1500,
    phase_seconds=4,
    expiring_seconds=8,
    duplicates=8,
)
SHORT = Size(
    warm_up=100, run_in=50, requests=300, light_requests=100, phase_seconds=2, expiring_seconds=3, duplicates=3
)


class Bench:
    """Where scenarios run."""

    def __init__(self, databases: Databases, standins: Standins, size: Size) -> None:
        self.databases = databases
        self.standins = standins
        self.size = size

    def trial(self, arrangement: Arrangement) -> Trial:
        return Trial(arrangement, self.databases, self.standins)

    # The mix

    def mix(self, arrangement: Arrangement, skew: float) -> Figures:
        with self.trial(arrangement) as trial:
            if arrangement.cached:
                trial.warm()
            return asyncio.run(self._mix(trial, skew))

    async def _mix(self, trial: Trial, skew: float) -> Figures:
        driver, asked = Driver(trial.sockets), steps(skew, SEED)
        await driver.run(asked, count=self.size.warm_up if trial.arrangement.cached else self.size.run_in)
        # Whatever of the warm-up an arrangement has carried out, it goes on with the same.
        asked = steps(skew, SEED + 1)
        return await counted(trial, lambda: driver.run(asked, count=self.size.requests))

    def light(self, arrangement: Arrangement) -> Figures:
        """The same with few connections, so that nobody waits for a core."""
        with self.trial(arrangement) as trial:
            if arrangement.cached:
                trial.warm()
            return asyncio.run(self._light(trial))

    async def _light(self, trial: Trial) -> Figures:
        if trial.arrangement.cached:
            await Driver(trial.sockets).run(steps(0.9, SEED), count=self.size.warm_up)
        driver, asked = Driver(trial.sockets, LIGHT), steps(0.9, SEED + 1)
        return await counted(trial, lambda: driver.run(asked, count=self.size.light_requests))

    # Outages

    def outage(self, what: str) -> "Outage":
        """Redis, or the sidecar, is killed in the middle, and started again."""
        with self.trial(Arrangement(4, redis=True, warm_quizzes=Settings().cache_warming_batch_size)) as trial:
            return asyncio.run(self._outage(trial, what))

    async def _outage(self, trial: Trial, what: str) -> "Outage":
        driver, asked = Driver(trial.sockets), steps(0.9, SEED)
        await asyncio.to_thread(trial.warm)
        await driver.run(asked, count=self.size.warm_up)
        phase = self.size.phase_seconds
        kill, start = {
            "Redis": (trial.kill_redis, trial.start_redis),
            "the sidecar": (trial.kill_sidecar, trial.start_sidecar),
        }[what]

        async def strike() -> None:
            await asyncio.sleep(phase)
            await asyncio.to_thread(kill)
            await asyncio.sleep(phase)
            await asyncio.to_thread(start)

        result, _ = await asyncio.gather(driver.run(asked, seconds=3 * phase), strike())
        return Outage(what, phase, result)

    # A key that everybody asks for

    def expiring(self, arrangement: Arrangement, folder: Path) -> "Expiring":
        """One quiz with its questions, asked for by everybody, which is kept for a second."""
        policies = folder / "expiring.yaml"
        policies.write_text("namespaces: {quizzes: {max_ttl: 1s, jitter: 0}, users: {ttl: 10m}}\n", encoding="utf-8")
        with self.trial(replace(arrangement, policies=policies)) as trial:
            result = asyncio.run(self._expiring(trial))
        return Expiring(arrangement, result)

    async def _expiring(self, trial: Trial) -> Result:
        driver = Driver(trial.sockets)
        return await driver.run(hot_steps(), seconds=self.size.expiring_seconds)

    # Duplicate requests to the model

    def duplicates(self, arrangement: Arrangement) -> "Duplicates":
        """Quizzes over the same modules, generated all at once by different users."""
        with self.trial(arrangement) as trial:
            return asyncio.run(self._duplicates(trial))

    async def _duplicates(self, trial: Trial) -> "Duplicates":
        connections = [await Connection.open(trial.sockets[n % len(trial.sockets)]) for n in range(BUSY)]
        wanted = [(course, copy) for copy in range(self.size.duplicates) for course in range(DISTINCT)]
        quizzes = [await created(connections[0], number, course) for number, (course, _) in enumerate(wanted)]
        left = iter(quizzes)
        seconds: list[float] = []
        failed = 0

        async def go_on(connection: Connection) -> None:
            nonlocal failed
            for quiz, user in left:
                begun = time.perf_counter()
                answer = await connection.ask(request("POST", f"/api/quiz/{quiz}/generate", user, b"{}"))
                seconds.append(time.perf_counter() - begun)
                failed += answer.status != 200

        begun = time.perf_counter()
        await asyncio.gather(*(go_on(connection) for connection in connections))
        took = time.perf_counter() - begun
        return Duplicates(
            trial.arrangement,
            len(quizzes),
            DISTINCT,
            took,
            sorted(seconds),
            trial.standins.llm_calls(),
            trial.standins.canvas_calls(),
            failed,
        )

    # From cold to warm

    def cold_start(self) -> "ColdStart":
        """All processes are started, and the quizzes that were changed last are warmed."""
        begun = time.monotonic()
        with self.trial(Arrangement(4, warming=True, warm_quizzes=Settings().cache_warming_batch_size)) as trial:
            serving = time.monotonic() - begun
            while not (runs := trial.warmed()):
                pass
            run = runs[0]
            warm = time.monotonic() - begun
            kept = sum(counters["entries"] for counters in trial.namespaces().values())
            figures = asyncio.run(self._after_warming(trial))
        return ColdStart(serving, warm, run["seconds"], kept, figures)

    async def _after_warming(self, trial: Trial) -> Figures:
        driver, asked = Driver(trial.sockets), steps(0.9, SEED)
        return await counted(trial, lambda: driver.run(asked, count=500))


# Sets of modules that are generated from.
DISTINCT = 10
GENERATED = 5


async def counted(trial: Trial, run: Callable[[], Awaitable[Result]]) -> Figures:
    namespaces, cpu = trial.namespaces(), trial.cpu_seconds()
    llm_calls, canvas_calls = trial.standins.llm_calls(), trial.standins.canvas_calls()
    result = await run()
    cpu = trial.cpu_seconds() - cpu
    return figures(
        result,
        namespaces,
        trial.namespaces(),
        llm_calls=trial.standins.llm_calls() - llm_calls,
        canvas_calls=trial.standins.canvas_calls() - canvas_calls,
        cpu_seconds=cpu,
    )


def hot_steps() -> Iterator[Step]:
    while True:
        yield Step("full", 0, 0)


async def created(connection: Connection, number: int, course: int) -> tuple[str, str]:
    """A new quiz, and its owner."""
    user = str(user_id(number % USERS))
    new = {"title": "Duplicate", "course_id": course, "module_ids": [1, 2], "question_count": GENERATED}
    answer = await connection.ask(request("POST", "/api/quiz/", user, json.dumps(new).encode()))
    return json.loads(answer.body)["id"], user


@dataclass(frozen=True)
class Outage:
    what: str
    phase_seconds: float
    result: Result

    def phases(self) -> list[tuple[str, float, float, float, float]]:
        """Name, requests a second, median and p99 of reads in ms, statements a request."""
        told: list[tuple[str, float, float, float, float]] = []
        for number, name in enumerate(("before", "while it is gone", "after")):
            begin, end = number * self.phase_seconds, (number + 1) * self.phase_seconds
            samples = [sample for sample in self.result.samples if begin <= sample.ended < end]
            statements = sum(sample.statements for sample in samples) / max(1, len(samples))
            quick = [sample for sample in reads(samples) if sample.kind != "content"]
            told.append((name, len(samples) / self.phase_seconds, median_ms(quick), p99_ms(quick), statements))
        return told


@dataclass(frozen=True)
class Expiring:
    arrangement: Arrangement
    result: Result

    @property
    def statements(self) -> int:
        return sum(sample.statements for sample in self.result.samples)


@dataclass(frozen=True)
class Duplicates:
    arrangement: Arrangement
    requests: int
    distinct: int
    seconds: float
    in_order: list[float]
    llm_calls: int
    canvas_calls: int
    failed: int


@dataclass(frozen=True)
class ColdStart:
    serving_seconds: float
    warm_seconds: float
    warming_seconds: float
    # Entries.
    kept: int
    figures: Figures
