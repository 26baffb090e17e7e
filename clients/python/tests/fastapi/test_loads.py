"""Who runs the handler, and what becomes of its answer: once a host, given back when it can't be kept, ended by what
changes it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest
from callers import counters, pass_time, until
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response

from pannier import cache, cache_invalidate, configure
from pannier.fastapi import Rule, http_cache, http_invalidate
from web import Site, is_hit, is_stored, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from daemon import Daemon
    from pannier import Cache


async def until_waits(store: Cache, count: int = 1) -> None:
    await until(lambda: counters(store, "http")["waits"]["now"] >= count)


# MARK: Once a host


def _ask_in_a_process(socket: str, gate: Any, runs: Any, found: Any) -> None:
    configure(socket=socket, connect_timeout=5, request_timeout=5)
    with Site({"default": "60s"}) as site:

        @site.app.get("/slow")
        async def slow() -> str:
            with runs.get_lock():
                runs.value += 1
            # The other process has asked by then, and waits.
            while (await cache.stats("http"))["namespaces"]["http"]["waits"]["now"] < 49:
                await asyncio.sleep(0.001)
            return "slow"

        gate.wait()
        responses = site.at_once(*["/slow"] * 25)
        found.put([(response.status_code, response.text, response.headers["etag"]) for response in responses])


def test_fifty_cold_requests_of_two_processes_run_it_once(sidecar: Daemon) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate, runs, found = spawn.Barrier(2), spawn.Value("i", 0), spawn.Queue()
    arguments = (str(sidecar.socket), gate, runs, found)
    processes = [spawn.Process(target=_ask_in_a_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    answers = {*found.get(timeout=60), *found.get(timeout=60)}
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert runs.value == 1
    # Its ETag, too, is one and the same.
    assert [answer[:2] for answer in answers] == [(200, '"slow"')]


def test_each_variant_is_run_once(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def varying(request: Request, response: Response) -> str:
            language = request.headers["accept-language"]
            site.runs[language] += 1
            response.headers["Vary"] = "Accept-Language"
            await asyncio.sleep(0)
            return language

        headers = [{"accept_language": ("de", "fr")[n % 2]} for n in range(20)]
        found = site.at_once(*["/x"] * 20, headers=headers)
        assert [response.json() for response in found] == ["de", "fr"] * 10
        assert site.runs == {"de": 1, "fr": 1}
        assert counters(store, "http")["leases"]["held"] == 0


# MARK: What isn't kept


@pytest.mark.parametrize("kind", ["stream", "cookie", "large", "no-store"])
def test_nobody_waits_for_what_can_not_be_kept(store: Cache, kind: str) -> None:
    with Site({"default": "60s", "max_body": 1000}) as site:

        @site.app.get("/x")
        async def x() -> Response:
            site.runs["x"] += 1
            if site.runs["x"] == 1:
                await until_waits(store, 2)
            response = Response("x" * (2000 if kind == "large" else 2))
            if kind == "stream":
                del response.headers["content-length"]
            if kind == "cookie":
                response.set_cookie("a", "b")
            if kind == "no-store":
                response.headers["cache-control"] = "no-store"
            return response

        found = site.at_once("/x", "/x", "/x")
        assert site.runs["x"] == 3
        assert len({response.content for response in found}) == 1
        assert counters(store, "http")["leases"]["passed"] == 1
        assert counters(store, "http")["leases"]["held"] == 0


def test_a_body_that_breaks_off_is_not_kept(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x() -> Response:
            response = Response(b"part")
            response.headers["content-length"] = "5"
            return response

        assert status_of(site.get("/x")) == "fwd=uri-miss; detail=incomplete"
        assert counters(store, "http")["leases"]["passed"] == 1


@pytest.mark.parametrize("kind", ["raised", "answered"])
def test_a_handler_that_fails_gives_its_lease_back_as_failed(store: Cache, kind: str) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x() -> None:
            if kind == "answered":
                raise HTTPException(503)
            raise RuntimeError("broken")

        assert site.get("/x").status_code == (503 if kind == "answered" else 500)
        assert counters(store, "http")["leases"]["failed"] == 1
        # The pause: whoever comes now runs it for itself.
        assert site.get("/x").status_code >= 500
        assert counters(store, "http")["leases"]["granted"] == 1


def test_a_cancelled_request_is_the_next_ones_at_once(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x() -> str:
            site.runs["x"] += 1
            if site.runs["x"] == 1:
                await asyncio.Event().wait()
            return "second"

        async def run() -> None:
            first = asyncio.ensure_future(site.send("GET", "/x"))
            while not site.runs["x"]:
                await asyncio.sleep(0)
            second = asyncio.ensure_future(site.send("GET", "/x"))
            await until_waits(store)
            first.cancel()
            response = await second
            assert (response.json(), is_stored(response)) == ("second", True)

        site.wait_for(run())
        assert counters(store, "http")["leases"]["failed"] == 0


def test_who_is_cancelled_while_it_waits_keeps_nobody_waiting(store: Cache) -> None:
    with Site({"default": "60s"}) as site:
        gate = asyncio.Event()

        @site.app.get("/x")
        async def x() -> str:
            site.runs["x"] += 1
            if site.runs["x"] == 1:
                await gate.wait()
                raise asyncio.CancelledError
            return "third"

        async def run() -> None:
            first = asyncio.ensure_future(site.send("GET", "/x"))
            while not site.runs["x"]:
                await asyncio.sleep(0)
            second = asyncio.ensure_future(site.send("GET", "/x"))
            await until_waits(store)
            third = asyncio.ensure_future(site.send("GET", "/x"))
            await until_waits(store, 2)
            second.cancel()
            # The second is elected, and is gone.
            gate.set()
            response = await third
            assert (response.json(), is_stored(response)) == ("third", True)
            await asyncio.gather(first, second, return_exceptions=True)

        site.wait_for(run())


# MARK: Stale


def test_stale_while_revalidate_shows_what_is_there_and_renews_it_once(sidecar: Daemon, store: Cache) -> None:
    with Site({}) as site:

        @site.app.get("/x/{n}")
        @http_cache("10s", swr="1m", tags=["n:{n}"])
        async def x(n: int) -> int:
            site.runs["x"] += 1
            return site.runs["x"]

        site.get("/x/1", accept="a")
        pass_time(sidecar, 15)
        found = site.at_once("/x/1", "/x/1", "/x/1")
        assert [response.json() for response in found] == [1, 1, 1]
        assert {status_of(response) for response in found} == {"hit; ttl=-5"}
        assert {response.headers["age"] for response in found} == {"15"}
        site.settle()
        assert site.runs["x"] == 2
        renewed = site.get("/x/1")
        assert (renewed.json(), status_of(renewed)) == (2, "hit; ttl=10")
        # It bears what the first one bore.
        assert store.clear("http", tags=["n:1"]) == 1


def test_another_variants_lease_is_left_to_who_asks_for_that(sidecar: Daemon, store: Cache) -> None:
    with Site({"rules": {"/x": Rule("10s", swr="1m")}}) as site:

        @site.app.get("/x")
        async def x(request: Request, response: Response) -> str:
            response.headers["Vary"] = "Accept"
            site.runs[request.headers["accept"]] += 1
            return request.headers["accept"]

        site.get("/x", accept="a")
        pass_time(sidecar, 15)
        assert site.get("/x", accept="b").json() == "b"
        site.settle()
        assert (site.runs, counters(store, "http")["leases"]["held"]) == ({"a": 1, "b": 1}, 0)
        assert status_of(site.get("/x", accept="a")) == "hit; ttl=-5"
        site.settle()
        assert status_of(site.get("/x", accept="a")) == "hit; ttl=10"
        assert is_hit(site.get("/x", accept="b"))


def test_what_was_renewed_is_ended_by_a_change_of_its_uri(sidecar: Daemon, store: Cache) -> None:
    with Site({"rules": {"/x": Rule("10s", swr="1m")}}) as site:

        @site.app.get("/x")
        async def x() -> int:
            return 1

        site.get("/x")
        pass_time(sidecar, 15)
        site.get("/x")
        site.settle()
        assert status_of(site.get("/x")) == "hit; ttl=10"
        site.ask("PUT", "/x")
        assert is_hit(site.get("/x"))
        site.app.put("/x")(x)
        site.ask("PUT", "/x")
        assert not is_hit(site.get("/x"))


def test_a_renewal_has_a_state_of_its_own(sidecar: Daemon) -> None:
    states: list[dict[str, Any]] = []

    class Outer:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = {"of": "outer"}
            states.append(scope["state"])
            await self.app(scope, receive, send)

    with Site({"rules": {"/x": Rule("10s", swr="1m")}}) as site:
        site.app.add_middleware(Outer)

        @site.app.get("/x")
        async def x(request: Request) -> str:
            found = str(request.state.of)
            request.state.of = "handler"
            return found

        assert site.get("/x").json() == "outer"
        pass_time(sidecar, 15)
        site.get("/x")
        site.settle()
        assert site.get("/x").json() == "outer"
    assert states[1] == {"of": "outer"}


def test_a_renewal_that_fails_is_told_once_and_hurts_nobody(
    sidecar: Daemon, store: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    with Site({}) as site:

        @site.app.get("/x")
        @http_cache("10s", swr="1m")
        async def x() -> int:
            site.runs["x"] += 1
            if site.runs["x"] > 1:
                raise RuntimeError("broken")
            return 1

        site.get("/x")
        pass_time(sidecar, 15)
        for _ in range(2):
            assert site.get("/x").json() == 1
            site.settle()
        assert site.runs["x"] == 2
        assert counters(store, "http")["leases"]["failed"] == 1
        assert [record.message for record in caplog.records if "renewed" in record.message] == [
            f"{__name__}.test_a_renewal_that_fails_is_told_once_and_hurts_nobody.<locals>.x: it could not be renewed: "
            "RuntimeError: broken"
        ]


@pytest.mark.parametrize("kind", ["raised", "answered", "other"])
def test_stale_if_error(sidecar: Daemon, kind: str) -> None:
    with Site({}) as site:

        @site.app.get("/x")
        @http_cache("10s", sie="1m")
        async def x() -> int:
            site.runs["x"] += 1
            if site.runs["x"] == 1:
                return 1
            if kind == "raised":
                raise RuntimeError("broken")
            raise HTTPException(503 if kind == "answered" else 404)

        first = site.get("/x")
        pass_time(sidecar, 15)
        response = site.get("/x")
        if kind == "other":
            # It isn't in trouble, but has an answer of its own.
            assert response.status_code == 404
            return
        assert (response.status_code, response.json(), response.headers["age"]) == (200, 1, "15")
        told = "fwd=stale; fwd-status=503; ttl=-5" if kind == "answered" else "fwd=stale; ttl=-5"
        assert status_of(response) == f"{told}; detail=stale-if-error"
        # It isn't asked again at once.
        again = site.get("/x", if_none_match=first.headers["etag"])
        assert (again.status_code, status_of(again)) == (304, "hit; ttl=-5; detail=stale-if-error")
        assert site.runs["x"] == 2
        pass_time(sidecar, 60)
        assert site.get("/x").status_code >= 500


def test_without_trouble_stale_if_error_shows_nothing_stale(sidecar: Daemon, store: Cache) -> None:
    with Site({}) as site:

        @site.app.get("/x")
        @http_cache("10s", sie="1m")
        async def x() -> int:
            site.runs["x"] += 1
            if site.runs["x"] == 2:
                await until_waits(store)
            return site.runs["x"]

        site.get("/x")
        pass_time(sidecar, 15)
        found = site.at_once("/x", "/x")
        assert [response.json() for response in found] == [2, 2]
        assert {status_of(response) for response in found} == {
            "fwd=stale; ttl=10; stored",
            "fwd=stale; ttl=10; collapsed",
        }


# MARK: Changes


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
            first = asyncio.ensure_future(site.send("GET", "/x"))
            while not site.runs["x"]:
                await asyncio.sleep(0)
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
