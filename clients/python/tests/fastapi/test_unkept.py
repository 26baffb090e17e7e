"""What isn't kept, and goes through as it is. Of the table of what other HTTP caches get wrong it holds the rows of the
response with `Set-Cookie`, of the returned 404 and 500, of `no-store` and `private`, and of the StreamingResponse.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import HTTPException, Response
from fastapi.responses import FileResponse, StreamingResponse

from web import is_hit, is_stored, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cached_routes import Routes

pytest_plugins = ["cached_routes"]


def test_an_answer_with_a_cookie_is_not_kept(routes: Routes) -> None:
    @routes.cached("/login")
    async def login(response: Response) -> str:
        response.set_cookie("session", "secret")
        return "welcome"

    response = routes.site.get("/login")
    assert status_of(response) == "fwd=uri-miss; detail=set-cookie"
    again = routes.site.get("/login")
    # Nobody waits for another's run of what can't be kept.
    assert not is_hit(again)
    assert again.headers["set-cookie"] == response.headers["set-cookie"]


def test_errors_are_not_kept_and_keep_their_status(routes: Routes) -> None:
    @routes.cached("/returned/{n}")
    async def returned(n: int, response: Response) -> int:
        response.status_code = n
        return n

    @routes.cached("/raised/{n}")
    async def raised(n: int) -> int:
        raise HTTPException(n)

    for kind in ("returned", "raised"):
        for status in (404, 410, 500, 503):
            first, second = [routes.site.get(f"/{kind}/{status}") for _ in range(2)]
            assert (first.status_code, second.status_code) == (status, status)
            assert not is_hit(second)
            assert not is_stored(first)
            # The handler's word on what it is, and no ETag of ours.
            assert "etag" not in second.headers


def test_a_404_is_kept_as_one_where_the_rule_says_so(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/nobody/{n}", statuses=[404])
    async def nobody(n: int) -> int:
        site.runs["nobody"] += 1
        raise HTTPException(404, "nobody")

    first, second = [site.get("/nobody/1") for _ in range(2)]
    assert (first.status_code, second.status_code) == (404, 404)
    assert first.content == second.content
    assert site.runs["nobody"] == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("no-store", "no-store"),
        ("private, max-age=60", "private"),
        ('private="x-name"', "private"),
        ("no-cache", "no-cache"),
        ("max-age=0", "no-lifetime"),
        ("MAX-AGE=60, No-Store", "no-store"),
        ("max-age=oops", "no-lifetime"),
    ],
)
def test_a_handler_that_wants_nothing_kept_is_heard(routes: Routes, said: str, reason: str) -> None:
    site = routes.site

    @routes.cached("/own")
    async def own(response: Response) -> int:
        site.runs["own"] += 1
        response.headers["Cache-Control"] = said
        return site.runs["own"]

    assert status_of(site.get("/own")) == f"fwd=uri-miss; detail={reason}"
    second = site.get("/own")
    # Others aren't made to wait for what can't be kept: each runs it for itself.
    assert (second.json(), second.headers["cache-control"]) == (2, said)
    assert ("etag" in second.headers) is (reason != "no-store")


def test_a_stream_goes_through_as_it_comes(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for n in range(3):
                yield b"part %d\n" % n

        return StreamingResponse(parts())

    for _ in range(2):
        response = site.get("/stream")
        assert (response.status_code, response.content) == (200, b"part 0\npart 1\npart 2\n")
        assert status_of(response) == "fwd=uri-miss; detail=stream"
        assert "etag" not in response.headers


def test_no_part_of_a_stream_waits_for_the_next(routes: Routes) -> None:
    site = routes.site
    gate = asyncio.Event()
    seen: list[Any] = []

    @routes.cached("/events")
    async def events() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await gate.wait()
            yield b"data: 2\n\n"

        return StreamingResponse(parts(), media_type="text/event-stream")

    async def receive() -> dict[str, Any]:
        if len(seen) > 100:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        seen.append(message)
        if message.get("body") == b"data: 1\n\n":
            # It is here while the handler waits for this.
            gate.set()

    scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"", "headers": []}
    site.wait_for(site.app(scope, receive, send))
    assert [message.get("body") for message in seen[1:3]] == [b"data: 1\n\n", b"data: 2\n\n"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_the_server_sends_is_not_kept(routes: Routes, tmp_path: Path, method: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(b"file")
    seen: list[Any] = []

    @routes.cached("/file")
    async def file() -> FileResponse:
        return FileResponse(path)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        seen.append(message)

    scope = {"type": "http", "method": method, "path": "/file", "query_string": b"", "headers": []}
    for _ in range(2):
        routes.site.wait_for(routes.site.app({**scope, "extensions": {"http.response.pathsend": {}}}, receive, send))
    assert b"pannier; fwd=uri-miss; detail=stream" in dict(seen[0]["headers"]).values()
    # A HEAD brings no file, and the cache, which has run a GET for it, ends it.
    ending = {"type": "http.response.body", "body": b""}
    assert seen[1] == seen[3] == (ending if method == "HEAD" else {"type": "http.response.pathsend", "path": str(path)})
    assert len(seen) == 4
