"""Who runs the handler, once a host, and what becomes of its lease where nothing can be kept. Of the table of what
other HTTP caches get wrong it holds the row of fifty cold requests at once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest
from callers import counters
from fastapi import HTTPException, Request, Response

from pannier import cache, configure
from web import Site, is_stored, status_of, until_waits

if TYPE_CHECKING:
    from cached_routes import Routes
    from daemon import Daemon
    from pannier import Cache

pytest_plugins = ["cached_routes"]


# MARK: Once a host


def test_fifty_cold_requests_run_the_handler_once(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/slow")
    async def slow() -> str:
        site.runs["slow"] += 1
        # Until all the others have come.
        for _ in range(200):
            await asyncio.sleep(0)
        return "slow"

    responses = site.at_once(*["/slow"] * 50)
    assert {response.content for response in responses} == {b'"slow"'}
    assert site.runs["slow"] == 1
    told = [status_of(response) for response in responses]
    assert told.count("fwd=uri-miss; ttl=60; stored") == 1
    assert told.count("fwd=uri-miss; ttl=60; collapsed") + sum(text.startswith("hit") for text in told) == 49


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


# MARK: Given back


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
            first = await site.begin("/x")
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
            first = await site.begin("/x")
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
