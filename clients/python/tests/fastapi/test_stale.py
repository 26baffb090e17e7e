"""What is shown that isn't fresh: while it is renewed, and where the handler fails (RFC 5861)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from callers import counters, pass_time
from fastapi import HTTPException, Request, Response

from pannier.fastapi import HTTPCache, Rule, http_cache
from web import Site, is_hit, status_of, until_waits

if TYPE_CHECKING:
    from daemon import Daemon
    from pannier import Cache


# MARK: While it is renewed


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


def test_only_what_lies_inside_the_cache_is_run_for_a_renewal(sidecar: Daemon) -> None:
    with Site() as site:

        class Counted:
            def __init__(self, app: Any, name: str) -> None:
                self.app = app
                self.name = name

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                site.runs[self.name] += 1
                await self.app(scope, receive, send)

        site.app.add_middleware(Counted, name="inside")
        site.app.add_middleware(HTTPCache, rules={"/x": Rule("10s", swr="1m")})
        site.app.add_middleware(Counted, name="outside")
        site.count_runs("/x")
        site.get("/x")
        pass_time(sidecar, 15)
        site.get("/x")
        site.settle()
        assert site.runs == {"/x": 2, "inside": 2, "outside": 2}
        assert status_of(site.get("/x")) == "hit; ttl=10"
        assert site.runs == {"/x": 2, "inside": 2, "outside": 3}


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


@pytest.mark.parametrize("ended", ["soft", "cut"])
def test_what_is_stale_before_its_time_says_that_nothing_is_left(sidecar: Daemon, store: Cache, ended: str) -> None:
    if ended == "cut":
        store.policy("http", max_ttl=5)
    with Site({"rules": {"/x": Rule("10s", swr="1m")}}) as site:
        site.count_runs("/x")
        site.get("/x")
        if ended == "soft":
            store.policy("http", stale=60)
            store.clear("http", soft=True)
        else:
            pass_time(sidecar, 6)
        assert status_of(site.get("/x")) == "hit; ttl=0"
        site.settle()
        assert site.get("/x").json() == 2


def test_less_than_a_second_past_its_time_is_past_it(sidecar: Daemon) -> None:
    with Site({"rules": {"/x": Rule("10s", swr="1m")}}) as site:
        site.count_runs("/x")
        site.get("/x")
        pass_time(sidecar, 10.5)
        assert status_of(site.get("/x")) == "hit; ttl=-1"


# MARK: Where the handler fails


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
