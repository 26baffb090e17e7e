"""One arrangement of the application: so many workers, cached or not, with Redis or without, on a database of its own.
It drives nothing.
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx

from load.databases import Databases
from load.mix import QUIZZES
from stage import cache
from stage.application import Standins, worker
from stage.process import FOLDER, Process

_TOKEN: Final = "of the load"
ADMIN: Final = {"Authorization": f"Bearer {_TOKEN}"}


@dataclass(frozen=True)
class Arrangement:
    workers: int
    cached: bool = True
    redis: bool = False
    warming: bool = False
    # All of them: what is looked at is the cache at work, and a cold start by itself.
    warm_quizzes: int = QUIZZES
    policies: Path = FOLDER / "pannier.yaml"

    def __str__(self) -> str:
        how = "off" if not self.cached else "memory and Redis" if self.redis else "memory"
        return f"{self.workers} worker{'s' if self.workers > 1 else ''}, {how}"


class Trial:
    def __init__(self, arrangement: Arrangement, databases: Databases, standins: Standins) -> None:
        self.arrangement = arrangement
        self._databases = databases
        self.standins = standins
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="quiz-trial-")))
        self.sockets: list[Path] = []
        self._workers: list[Process] = []
        self._sidecar: Process | None = None
        self._redis: Process | None = None

    def __enter__(self) -> "Trial":
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self) -> None:
        for url in (self.standins.canvas_url, self.standins.llm_url):
            httpx.delete(f"{url}/standin").raise_for_status()
        if self.arrangement.redis:
            self.start_redis()
        if self.arrangement.cached:
            self.start_sidecar()
        settings = {
            "DATABASE_URL": self._databases.copy(),
            "CACHE_ENABLED": "1" if self.arrangement.cached else "0",
            "CACHE_WARMING_ENABLED": "1" if self.arrangement.warming else "0",
            "CACHE_WARMING_BATCH_SIZE": str(self.arrangement.warm_quizzes),
            "CACHE_SOCKET": os.fspath(self._folder / "pannier.sock"),
            "CANVAS_URL": self.standins.canvas_url,
            "LLM_URL": self.standins.llm_url,
            "ADMIN_TOKEN": _TOKEN,
        }
        for number in range(self.arrangement.workers):
            self.sockets.append(self._folder / f"worker-{number}")
            self._workers.append(worker(self.sockets[-1], settings))
        for path, process in zip(self.sockets, self._workers, strict=True):
            process.wait_for(cache.accepts(path))

    def _end(self) -> None:
        # Tracebacks, and what the cache warns of.
        logs = [log for worker in self._workers if (log := worker.log())]
        print(*logs, sep="", end="", file=sys.stderr)
        for process in [*self._workers, self._sidecar, self._redis]:
            if process is not None:
                process.end()
        self._stack.close()

    def start_redis(self) -> None:
        self._redis = cache.redis(self._folder)

    def start_sidecar(self) -> None:
        redis = self._folder / "redis.sock" if self.arrangement.redis else None
        self._sidecar = cache.sidecar(self._folder / "pannier.sock", self.arrangement.policies, redis)

    def kill_redis(self) -> None:
        assert self._redis is not None
        self._redis.kill()

    def kill_sidecar(self) -> None:
        assert self._sidecar is not None
        self._sidecar.kill()

    def cpu_seconds(self) -> float:
        """Of all that serves."""
        return sum(process.cpu_seconds() for process in [*self._workers, self._sidecar] if process is not None)

    def warm(self) -> None:
        """As much as the application would after a start."""
        with self._admin() as client:
            client.post("/admin/cache/warm").raise_for_status()

    def warmed(self) -> list[dict[str, Any]]:
        """The runs that are over."""
        with self._admin() as client:
            runs: list[dict[str, Any]] = client.get("/admin/cache/warm").raise_for_status().json()["runs"]
        return [run for run in runs if run["state"] == "done"]

    def _admin(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=os.fspath(self.sockets[0]))
        return httpx.Client(transport=transport, base_url="http://quiz", headers=ADMIN, timeout=60)

    def namespaces(self) -> dict[str, dict[str, Any]]:
        """The sidecar's counters; none where there is none."""
        if not self.arrangement.cached:
            return {}
        with self._admin() as client:
            found: dict[str, dict[str, Any]] = client.get("/admin/cache/stats").raise_for_status().json()["namespaces"]
        return {name: counters for name, counters in found.items() if name != "pannier-warming"}
