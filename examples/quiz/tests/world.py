"""The application as its tests see it: two workers, one that runs uncached, and what all of them ask. It asserts
nothing.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import httpx

from seed import user_id
from stage.application import Standins

USERS, QUIZZES, QUESTIONS = 20, 60, 8
ADMIN_TOKEN: Final = "an admin token"
ADMIN: Final = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
# A cold start of everything on a busy machine.
SECONDS: Final = 30.0


class Worker:
    """One process of the application, over its socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._http = httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://quiz", timeout=SECONDS)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: UUID | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """As user 0 where it doesn't say which."""
        return self._http.request(method, path, json=body, headers={**identity(user), **(headers or {})})

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def concurrently(self) -> httpx.AsyncClient:
        """As user 0."""
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.path)),
            base_url="http://quiz",
            timeout=SECONDS,
            headers=identity(None),
        )


def identity(user: UUID | None) -> dict[str, str]:
    return {"X-User-Id": str(user or user_id(0))}


def statements(answer: httpx.Response) -> int:
    """That it cost the database."""
    return int(answer.headers["X-Database-Statements"])


@dataclass(frozen=True)
class World:
    database: str
    one: Worker
    other: Worker
    # The same application and database, with `CACHE_ENABLED=0`.
    uncached: Worker
    standins: Standins
    sidecar: Path

    def clear(self) -> None:
        for name in ("users", "quizzes", "questions", "canvas_content", "mcq_generation"):
            answer = self.one.ask("POST", f"/admin/cache/clear/{name}", headers=ADMIN)
            assert answer.status_code == 200, answer.text

    def pass_time(self, seconds: float) -> None:
        """The sidecar's, which stands still but for this."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self.sidecar))
            peer.sendall(b'{"op":"advance","seconds":%d}\n' % seconds)
            answer = peer.recv(4096)
        assert b'"ok":true' in answer, answer

    def new_quiz(self, title: str = "New", modules: list[int] | None = None, questions: int = 3) -> str:
        """Of user 0, without questions; its address."""
        body = {"title": title, "course_id": 7, "module_ids": modules or [1], "question_count": questions}
        answer = self.one.ask("POST", "/api/quiz/", body)
        assert answer.status_code == 201, answer.text
        return f"/api/quiz/{answer.json()['id']}"

    def tell_llm(self, **settings: float) -> None:
        httpx.put(f"{self.standins.llm_url}/standin", json=settings).raise_for_status()

    def tell_canvas(self, **settings: float) -> None:
        httpx.put(f"{self.standins.canvas_url}/standin", json=settings).raise_for_status()
