"""Carries out steps over many connections, each asking for the next as soon as it is answered, and notes what came of
them. It starts nothing.
"""

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from load.connection import Answer, Connection, request
from load.mix import Step
from seed import quiz_id, user_id

# So many that some wait for Canvas and the model while all cores are busy with the others; and so few that none is.
BUSY, LIGHT = 128, 8
# Of an answer that tells of an error.
SAID_BYTES: Final = 120
_VERSION: Final = re.compile(rb'"title":"v(\d+)"')


@dataclass
class Sample:
    kind: str
    # Since the load began.
    ended: float
    seconds: float
    statements: int


@dataclass
class Result:
    # Until a connection found nothing left to ask for: what is under way then runs out, and seconds of that may be one
    # generation's.
    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    # Connections that broke, and answers of 500 and above.
    failed: int = 0
    # Such as an approval of questions that another request has replaced meanwhile.
    refused: int = 0
    # Reads that began after a change of the title had been answered, and showed an earlier one.
    stale: int = 0
    # Of the generator's own process: near 1 it would be what is measured.
    cpu_share: float = 0.0
    # What those that failed or were refused were told, and how often.
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Driver:
    """`paths`: the workers' sockets, which get equal numbers of connections."""

    def __init__(self, paths: Sequence[Path], connections: int = BUSY) -> None:
        self._paths = [paths[number % len(paths)] for number in range(connections)]
        self._versions = Versions()
        self._result = Result()
        self._began = 0.0

    async def run(self, steps: Iterator[Step], *, count: int | None = None, seconds: float | None = None) -> Result:
        """So many steps, or for so long."""
        self._result = Result()
        opened = [await Connection.open(path) for path in self._paths]
        left = iter(range(count)) if count is not None else None
        cpu, self._began = time.process_time(), time.perf_counter()

        def is_over() -> bool:
            is_out = next(left, None) is None if left is not None else self._elapsed() >= (seconds or 0)
            if is_out and not self._result.seconds:
                self._result.seconds = self._elapsed()
                self._result.cpu_share = (time.process_time() - cpu) / self._result.seconds
            return is_out

        async def go_on(connection: Connection, path: Path) -> None:
            while not is_over():
                step = next(steps)
                try:
                    await self._carry_out(connection, step)
                except ConnectionError as error:
                    self._fail(f"{step.kind}: {type(error).__name__}: {error}")
                    connection = await Connection.open(path)
            connection.close()

        await asyncio.gather(*(go_on(*pair) for pair in zip(opened, self._paths, strict=True)))
        return self._result

    async def _carry_out(self, connection: Connection, step: Step) -> None:
        user = str(user_id(step.user))
        quiz = f"/api/quiz/{quiz_id(step.quiz)}"
        if step.kind in ("quiz", "full"):
            known = self._versions.answered[step.quiz]
            path = quiz if step.kind == "quiz" else f"{quiz}/full"
            answer = await self._ask(connection, step.kind, request("GET", path, user))
            self._result.stale += version(answer) < known
        elif step.kind == "update":
            async with self._versions.locks[step.quiz]:
                number = self._versions.next()
                body = b'{"title":"v%d"}' % number
                answer = await self._ask(connection, step.kind, request("PATCH", quiz, user, body))
                if answer.status == 200:
                    self._versions.answered[step.quiz] = number
        elif step.kind == "approve":
            shown = await self._ask(connection, "questions", request("GET", f"{quiz}/questions", user))
            ids = [question["id"] for question in json.loads(shown.body)[:3]] if shown.status == 200 else []
            if ids:
                body = json.dumps({"question_ids": ids}).encode()
                await self._ask(connection, step.kind, request("POST", f"{quiz}/questions/approve", user, body))
        else:
            await self._ask(connection, step.kind, plain_request(step, quiz, user))

    async def _ask(self, connection: Connection, kind: str, asked: bytes) -> Answer:
        begun = time.perf_counter()
        answer = await connection.ask(asked)
        now = time.perf_counter()
        said = f"{kind}: {answer.status} {answer.body[:SAID_BYTES].decode(errors='replace')}"
        if answer.status >= 500:
            self._fail(said)
        elif answer.status >= 400:
            self._result.refused += 1
            self._result.errors[said] += 1
        self._result.samples.append(Sample(kind, now - self._began, now - begun, answer.statements))
        return answer

    def _fail(self, why: str) -> None:
        self._result.failed += 1
        self._result.errors[why] += 1

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began


class Versions:
    """Titles as numbers, so that a reader can tell an earlier one. Changes of one quiz are made one after the other."""

    def __init__(self) -> None:
        self.answered: defaultdict[int, int] = defaultdict(int)
        self.locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last = 0

    def next(self) -> int:
        self._last += 1
        return self._last


def version(answer: Answer) -> int:
    found = _VERSION.search(answer.body)
    # One that was never changed has another title.
    return int(found[1]) if found else 0


def plain_request(step: Step, quiz: str, user: str) -> bytes:
    if step.kind == "create":
        new = {"title": "New", "course_id": step.quiz % 40, "module_ids": [step.quiz % 6], "question_count": 5}
        return request("POST", "/api/quiz/", user, json.dumps(new).encode())
    if step.kind == "generate":
        return request("POST", f"{quiz}/generate", user, b"{}")
    paths = {
        "list": "/api/quiz/",
        "user": f"/api/users/{user}",
        "questions": f"{quiz}/questions",
        "statistics": f"{quiz}/statistics",
        "content": f"{quiz}/content",
    }
    return request("GET", paths[step.kind], user)
