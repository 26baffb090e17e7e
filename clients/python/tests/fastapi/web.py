"""An app behind its cache and a client for it, in one loop that moves only while it is asked to. Not a test itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
from callers import counters, until
from fastapi import FastAPI

from pannier import cache
from pannier.fastapi import HTTPCache

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from types import TracebackType

    from pannier import Cache

NAME = "http://site"


class Site:
    """`runs`: how often each handler was run, by whatever name it gives. `options`: HTTPCache's; None: it has none."""

    def __init__(self, options: dict[str, Any] | None = None, app: FastAPI | None = None) -> None:
        self.app = app or FastAPI()
        if options is not None:
            self.app.add_middleware(HTTPCache, **options)
        self.runs: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=NAME)
        # A browser's: each test says itself what is sent.
        for name in ("accept", "accept-encoding", "user-agent", "connection"):
            del self._client.headers[name]

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
        self.wait_for(self._client.aclose())
        self.wait_for(cache.aclose())
        # A connection that is closed is gone a turn later.
        self.wait_for(asyncio.sleep(0))
        self._loop.close()

    def wait_for(self, asked: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(asked, 60))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        found: httpx.Response = self.wait_for(self.send(method, path, **headers))
        return found

    def at_once(self, *paths: str, headers: Sequence[dict[str, str]] | None = None) -> list[httpx.Response]:
        async def ask() -> list[httpx.Response]:
            each = headers or [{}] * len(paths)
            return await asyncio.gather(*[self.send("GET", p, **h) for p, h in zip(paths, each, strict=True)])

        found: list[httpx.Response] = self.wait_for(ask())
        return found

    async def send(self, method: str, path: str, **headers: str) -> httpx.Response:
        """`if_none_match="x"` is the header If-None-Match."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.request(method, path, headers=fields)

    async def begin(self, path: str) -> asyncio.Task[httpx.Response]:
        """A GET whose handler runs by then, and has counted its run."""
        before = self.runs.total()
        begun = asyncio.ensure_future(self.send("GET", path))
        await until(lambda: self.runs.total() > before)
        return begun

    def count_runs(self, path: str) -> None:
        """A GET that answers how often it was run, and a POST that does nothing."""

        @self.app.get(path)
        async def get() -> int:
            self.runs[path] += 1
            return self.runs[path]

        @self.app.post(path)
        async def change() -> None: ...

    def settle(self) -> None:
        """Until nothing runs in the background any more."""

        async def wait() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*others, return_exceptions=True)

        self._loop.run_until_complete(wait())


def status_of(response: httpx.Response) -> str:
    """Its Cache-Status without the cache's name."""
    found: str = response.headers["cache-status"]
    assert found.startswith("pannier; "), found
    return found.removeprefix("pannier; ")


def is_hit(response: httpx.Response) -> bool:
    return status_of(response).startswith("hit")


def is_stored(response: httpx.Response) -> bool:
    return "; stored" in status_of(response)


async def until_waits(store: Cache, count: int = 1) -> None:
    """Until so many wait for another's run of the handler."""
    await until(lambda: counters(store, "http")["waits"]["now"] >= count)
