"""The sidecar being killed, and back again: no request fails."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from app.core.config import database_url
from conftest import environment
from seed import quiz_id
from stage import cache
from stage.application import Standins, worker
from world import Worker, statements

PATHS = [f"/api/quiz/{quiz_id(number)}/full" for number in range(30)]


def test_no_request_fails_while_the_sidecar_is_killed(database: str, stand_ins: Standins, tmp_path: Path) -> None:
    sidecar_socket, socket = tmp_path / "pannier.sock", tmp_path / "worker"
    with ExitStack() as stack:
        first = stack.enter_context(cache.sidecar(sidecar_socket))
        settings = environment(database, sidecar_socket, stand_ins)
        stack.enter_context(worker(socket, settings)).wait_for(cache.accepts(socket))
        served = stack.enter_context(Worker(socket))
        hit = [served.ask("GET", PATHS[0]) for _ in range(2)][1]
        assert statements(hit) == 0

        async def load() -> list[int]:
            async with served.concurrently() as client:
                asked = [asyncio.create_task(client.get(path)) for path in PATHS * 4]
                # In the middle of it.
                await asked[10]
                first.kill()
                return [(await answer).status_code for answer in asked]

        assert asyncio.run(load()) == [200] * len(PATHS) * 4
        gone = served.ask("PATCH", f"/api/quiz/{quiz_id(0)}", {"title": "Meanwhile"})
        assert (gone.status_code, statements(gone) > 0) == (200, True)
        stack.enter_context(cache.sidecar(sidecar_socket))
        # Once a second it is tried again.
        while statements(served.ask("GET", PATHS[0])) > 0:
            pass
        assert served.get(PATHS[0])["quiz"]["title"] == "Meanwhile"


def test_the_databases_are_what_they_are_called(database: str) -> None:
    assert database_url(database).partition(":")[0] in ("sqlite+aiosqlite", "postgresql+asyncpg")
