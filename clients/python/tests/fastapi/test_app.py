"""An app behind the cache is the app it was: its bytes, its tasks, its context, its other middlewares, and all of it
where there is no cache.
"""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID  # noqa: TC003 - pydantic looks it up

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

import pannier
from pannier import configure, disabled
from pannier.fastapi import HTTPCache, http_cache
from web import NAME, Site, is_hit, is_stored, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon import Daemon
    from pannier import Cache

SOURCE = str(Path(pannier.__file__).parents[1])
# By the cache, to what the app answers.
ADDED = {"age", "cache-control", "cache-status", "etag", "vary"}


class Quiz(BaseModel):
    id: UUID
    title: str
    hidden: str = "no"


def app_of(folder: Path, *, is_cached: bool) -> FastAPI:
    app = FastAPI()
    kept: Callable[[Any], Any] = http_cache("60s") if is_cached else lambda function: function
    if is_cached:
        app.add_middleware(HTTPCache)
    router = APIRouter(prefix="/v1")
    (folder / "file.bin").write_bytes(bytes(range(256)) * 300)

    @router.get("/model/{quiz_id}", response_model_exclude={"hidden"})
    @kept
    async def model(quiz_id: UUID, page: Annotated[int, Depends(lambda page=1: page)]) -> Quiz:
        return Quiz(id=quiz_id, title=f"Grüße ✓ {page}")

    @router.get("/threaded", status_code=203)
    @kept
    def threaded(response: Response) -> list[float]:
        response.headers["X-Own"] = "own"
        return [1.10, 2e300]

    @router.get("/text")
    @kept
    async def text() -> PlainTextResponse:
        return PlainTextResponse("line\r\n\u2028 end", headers={"X-Two": "1"})

    @router.get("/bytes")
    @kept
    async def plain() -> Response:
        return Response(bytes(range(256)), media_type="application/octet-stream")

    @router.get("/empty")
    @kept
    async def empty() -> Response:
        return Response()

    @router.get("/moved")
    @kept
    def moved() -> RedirectResponse:
        return RedirectResponse("/v1/text", 308)

    @router.get("/file")
    @kept
    async def file() -> FileResponse:
        return FileResponse(folder / "file.bin")

    app.include_router(router)
    return app


PATHS = [
    "/v1/model/00000000-0000-0000-0000-000000000001?page=2",
    "/v1/threaded",
    "/v1/text",
    "/v1/bytes",
    "/v1/empty",
    "/v1/moved",
    "/v1/file",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_byte_for_byte_the_one_without_a_cache(store: Cache, tmp_path: Path, path: str) -> None:
    with Site(None, app_of(tmp_path, is_cached=False)) as plain, Site(None, app_of(tmp_path, is_cached=True)) as site:
        expected, first, second = plain.get(path), site.get(path), site.get(path)
        assert (is_stored(first), is_hit(second)) == (True, True)
        for found in (first, second):
            assert (found.status_code, found.content) == (expected.status_code, expected.content)
            added = dict(found.headers.items() - expected.headers.items())
            assert added.keys() <= ADDED
            assert expected.headers.items() <= found.headers.items()


def test_the_schema_is_the_one_without_a_cache(tmp_path: Path) -> None:
    assert app_of(tmp_path, is_cached=True).openapi() == app_of(tmp_path, is_cached=False).openapi()


def test_a_function_stays_what_it_was() -> None:
    @http_cache("60s")
    def plain(quiz_id: int) -> int:
        return quiz_id

    @http_cache("60s")
    async def awaited() -> int:
        return 1

    assert plain(7) == 7
    assert not inspect.iscoroutinefunction(plain)
    assert inspect.iscoroutinefunction(awaited)
    assert plain.__name__ == "plain"


def test_what_is_no_route_of_one_answer_is_refused() -> None:
    def parts() -> Any:
        yield 1

    with pytest.raises(TypeError, match="parts is a stream"):
        http_cache("60s")(parts)

    def misspelled(quiz_id: int) -> int:
        return quiz_id

    with pytest.raises(TypeError, match="there is no parameter 'quizid'"):
        http_cache("60s", tags=["q:{quizid}"])(misspelled)


def test_a_route_without_the_middleware_says_what_is_missing() -> None:
    app = FastAPI()

    @app.get("/x")
    @http_cache("60s")
    async def x() -> int:
        return 1

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=NAME) as client:
            await client.get("/x")

    with pytest.raises(RuntimeError, match=r"app.add_middleware\(HTTPCache\)"):
        asyncio.run(ask())


request_id: ContextVar[str] = ContextVar("request_id", default="none")


@pytest.mark.parametrize("options", [{}, {"default": "60s"}])
def test_context_variables_go_both_ways(store: Cache, options: dict[str, Any]) -> None:
    seen: list[str] = []

    class Outer:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            request_id.set("outer")
            await self.app(scope, receive, send)
            seen.append(request_id.get())
            # What lies outside sees what came, and what the router found.
            seen.append(f"{scope['method']} {scope['path']} {dict(scope['headers']).get(b'if-none-match')!r}")

    with Site(options) as site:
        site.app.add_middleware(Outer)

        @site.app.get("/x")
        @http_cache("60s")
        async def x() -> str:
            before = request_id.get()
            request_id.set("inner")
            return before

        assert site.get("/x").json() == "outer"
        site.ask("HEAD", "/x?2", if_none_match='"a"')
    assert seen == ["inner", "GET /x None", "inner", "HEAD /x b'\"a\"'"]


def test_other_middlewares_inside_and_outside(store: Cache) -> None:
    text = "long " * 500
    for is_outside in (True, False):
        app = FastAPI()

        @app.get("/x")
        @http_cache("60s")
        async def x() -> str:
            return text

        async def mark(request: Request, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["X-Mark"] = "mark"
            return response

        kinds: list[Any] = [(HTTPCache, {}), (BaseHTTPMiddleware, {"dispatch": mark}), (GZipMiddleware, {})]
        for kind, options in kinds if is_outside else [kinds[1], kinds[0], kinds[2]]:
            app.add_middleware(kind, **options)
        with Site(None, app) as site:
            site.app = app
            found = [site.get("/x", accept_encoding=encoding) for encoding in ("gzip", "identity", "gzip")]
            assert [response.json() for response in found] == [text] * 3
            assert [response.headers.get("content-encoding") for response in found] == ["gzip", None, "gzip"]
            assert [response.headers["x-mark"] for response in found] == ["mark"] * 3
            assert is_hit(found[2])
        store.clear("http")


@pytest.mark.parametrize("how", ["configured", "statement", "absent"])
def test_without_a_cache_the_app_simply_runs(sidecar: Daemon, tmp_path: Path, how: str) -> None:
    if how == "absent":
        configure(socket=tmp_path / "none.sock", breaker_pause=60)
    if how == "configured":
        configure(enabled=False)
    with Site({"default": "60s"}) as site:
        site.count_runs("/x")

        def ask() -> None:
            assert [site.get("/x").json() for _ in range(3)] == [1, 2, 3]
            detail = "fwd=uri-miss; detail=unavailable" if how == "absent" else "fwd=bypass; detail=disabled"
            assert status_of(site.get("/x")) == detail
            assert site.ask("POST", "/x").status_code == 200
            assert site.get("/x", cache_control="only-if-cached").status_code == 504

        if how == "statement":
            with disabled():
                ask()
        else:
            ask()


def test_changes_are_told_also_while_the_cache_is_switched_off(store: Cache) -> None:
    with Site({"default": "60s"}) as site:
        site.count_runs("/x")
        site.get("/x")
        with disabled():
            site.ask("POST", "/x")
        assert site.get("/x").json() == 2


def test_background_tasks_run_after_what_is_kept(store: Cache) -> None:
    app = FastAPI()
    with Site({"default": "60s"}, app) as site:

        @app.get("/x")
        async def x(tasks: BackgroundTasks) -> int:
            tasks.add_task(site.runs.update, ["task"])
            return 1

        site.get("/x")
        assert site.runs["task"] == 1
        assert is_hit(site.get("/x"))
        assert site.runs["task"] == 1


def test_importing_pannier_imports_none_of_it() -> None:
    code = "import sys, pannier; print([n for n in ('fastapi', 'starlette', 'pydantic', 'anyio') if n in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": SOURCE}, capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "[]\n"
