"""What ends what is kept: a change of its URI (RFC 9111, 4.4), and tags."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from callers import counters
from fastapi import Depends, Request, Response

from pannier import cache_invalidate
from pannier.fastapi import http_cache, http_invalidate
from web import Site, is_hit, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pannier import Cache


# MARK: By its URI


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_ends_what_was_kept_of_its_uri(store: Cache, method: str) -> None:
    with Site({"default": "60s", "rules": {"/me": None}}) as site:

        @site.app.get("/x/{n}")
        async def x(n: int, request: Request, response: Response) -> int:
            site.runs["x"] += 1
            response.headers["Vary"] = "Accept"
            return site.runs["x"]

        @site.app.api_route("/x/{n}", methods=[method])
        async def change(n: int, status: int = 200) -> Response:
            headers = {"location": "http://site/x/2", "content-location": "/x/3", "refresh": "/x/5"}
            return Response(status_code=status, headers=headers)

        for path in ("/x/1", "/x/1?a=1", "/x/2", "/x/3", "/x/4", "/x/5"):
            site.get(path, accept="a")
            site.get(path, accept="b")
        site.ask(method, "/x/1?status=404")
        assert is_hit(site.get("/x/1", accept="a"))
        site.ask(method, "/x/1")
        hits = [
            (path, is_hit(site.get(path, accept=accept)))
            for path in ("/x/1", "/x/1?a=1", "/x/2", "/x/3", "/x/4", "/x/5")
            for accept in ("a", "b")
        ]
        assert [path for path, hit in hits if hit] == ["/x/4", "/x/4", "/x/5", "/x/5"]


def test_what_changes_nothing_ends_nothing(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.api_route("/x", methods=["GET", "OPTIONS", "TRACE"])
        async def x() -> int:
            return 1

        site.get("/x")
        for method in ("OPTIONS", "TRACE"):
            assert site.ask(method, "/x").status_code == 200
        assert is_hit(site.get("/x"))


def test_who_has_the_answer_to_a_change_sees_nothing_older(store: Cache) -> None:
    with Site({"default": "60s"}) as site:
        seen: list[Any] = []

        @site.app.get("/x")
        async def x() -> int:
            return 1

        @site.app.put("/x")
        async def change() -> None: ...

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            seen.append((message["type"], store.keys("http")))

        site.get("/x")
        assert store.keys("http") == ["http://site/x"]
        scope = {"type": "http", "method": "PUT", "path": "/x", "query_string": b"", "headers": [(b"host", b"site")]}
        site.wait_for(site.app(scope, receive, send))
        assert seen == [("http.response.start", []), ("http.response.body", [])]


def test_what_began_before_a_change_is_not_kept_after_it(store: Cache) -> None:
    with Site({"default": "60s"}) as site:
        gate = asyncio.Event()

        @site.app.get("/x")
        async def x() -> int:
            site.runs["x"] += 1
            if site.runs["x"] == 1:
                await gate.wait()
            return site.runs["x"]

        @site.app.put("/x")
        async def change() -> None: ...

        async def run() -> None:
            first = await site.begin("/x")
            await site.send("PUT", "/x")
            gate.set()
            assert status_of(await first) == "fwd=uri-miss; detail=lease-lost"

        site.wait_for(run())
        assert site.get("/x").json() == 2


def test_a_transaction_that_ends_after_the_answer_is_seen(store: Cache) -> None:
    rows = {"x": "old"}

    async def session(request: Request) -> AsyncIterator[dict[str, str]]:
        changes: dict[str, str] = {}
        yield changes
        if changes:
            # FastAPI has sent the answer, and somebody asks before the transaction has committed.
            assert (await site.send("GET", "/x")).json() == "old"
        rows.update(changes)

    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x() -> str:
            return rows["x"]

        @site.app.put("/x")
        async def change(changes: dict[str, str] = Depends(session)) -> None:  # noqa: B008
            changes["x"] = "new"

        site.get("/x")
        site.ask("PUT", "/x")
        assert site.get("/x").json() == "new"


# MARK: By tags


def test_tags_tie_routes_and_data(store: Cache) -> None:
    with Site({}) as site:

        @site.app.get("/quizzes/{quiz_id}")
        @http_cache("60s", tags=["course:{course}"])
        async def quiz(quiz_id: int, course: int = 7) -> int:
            site.runs["quiz"] += 1
            return site.runs["quiz"]

        @site.app.post("/courses/{course}/name")
        @http_invalidate(tags=["course:{course}"])
        def rename(course: int) -> None: ...

        @cache_invalidate("http", tags=["course:{course}"])
        async def change(course: int) -> None: ...

        site.get("/quizzes/1")
        site.get("/quizzes/2?course=8")
        site.ask("POST", "/courses/7/name")
        assert not is_hit(site.get("/quizzes/1"))
        assert is_hit(site.get("/quizzes/2?course=8"))
        site.wait_for(change(7))
        assert not is_hit(site.get("/quizzes/1"))


@pytest.mark.parametrize("name", ["", "n" * 150])
def test_a_tag_that_nothing_can_bear_leaves_others_to_be_ended(store: Cache, name: str) -> None:
    with Site({"default": "60s"}) as site:
        site.count_runs("/x")

        @site.app.put("/x")
        @http_invalidate(tags=["{name}"])
        async def change(name: str) -> None: ...

        site.get("/x")
        site.ask("PUT", f"/x?name={name}")
        assert not is_hit(site.get("/x"))


def test_an_app_that_keeps_nothing_ends_what_others_keep(store: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of this process other tests have made rules.
    monkeypatch.setattr("pannier.fastapi._lookup.namespaces", set[str]())
    with Site({}) as site:

        @site.app.post("/courses/{course}/name")
        @http_invalidate(tags=["course:{course}"])
        def rename(course: int) -> None: ...

        store.set("http", "key", "old", tags=["course:7"])
        site.ask("POST", "/courses/7/name")
        assert store.keys("http") == []


def test_a_tag_that_fails_keeps_nothing_and_breaks_nothing(store: Cache, caplog: pytest.LogCaptureFixture) -> None:
    with Site({}) as site:

        @site.app.get("/x")
        @http_cache("60s", tags=["of:{result.owner}"])
        async def x() -> None:
            return None

        with caplog.at_level(logging.WARNING, "pannier"):
            for _ in range(2):
                assert site.get("/x").status_code == 200
        assert counters(store, "http")["leases"]["passed"] == 1
        assert len(caplog.records) == 1
        assert "a tag fails: AttributeError" in caplog.records[0].message
