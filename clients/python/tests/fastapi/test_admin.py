"""The admin's routes, and what an app does at its start and its end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request

from pannier import AsyncCache, _warming, cache, cached, configure, warm_runs, warmer
from pannier.fastapi import CacheDep, admin_router, get_cache, lifespan
from web import NAME, Site

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from pannier import Cache


def require_admin(request: Request) -> None:
    if request.headers.get("authorization") != "admin":
        raise HTTPException(401)


class Admin:
    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, method: str, path: str, body: Any = None, authorization: str = "admin") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._site.app)
            async with httpx.AsyncClient(transport=transport, base_url=NAME) as client:
                headers = {"authorization": authorization}
                return await client.request(method, f"/admin/cache{path}", json=body, headers=headers)

        found: httpx.Response = self._site.wait_for(ask())
        return found


@pytest.fixture
def admin() -> Iterator[Admin]:
    with Site({}) as site:
        site.app.include_router(admin_router(dependencies=[Depends(require_admin)]))
        yield Admin(site)


def test_it_is_not_made_without_a_guard() -> None:
    with pytest.raises(ValueError, match="has no guard"):
        admin_router()
    assert admin_router(insecure=True).routes


def test_all_of_it_is_guarded(admin: Admin) -> None:
    router = admin_router(insecure=True)
    asked = 0
    for route in router.routes:
        for method in sorted(getattr(route, "methods", [])):
            path = getattr(route, "path", "").removeprefix("/admin/cache").replace("{ns}", "x")
            assert admin.ask(method, path, {}, authorization="user").status_code == 401
            asked += 1
    assert asked >= 7


def test_stats(store: Cache, admin: Admin) -> None:
    store.set("quizzes", "q:1", 1)
    store.get("quizzes", "q:1")
    store.get("quizzes", "q:2")
    store.set("users", "u:1", 1)
    response = admin.ask("GET", "/stats")
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    assert found["uptime"] >= 0
    assert found["namespaces"]["quizzes"]["hit_rate"] == 0.5
    assert found["namespaces"]["users"]["hit_rate"] is None
    assert list(admin.ask("GET", "/stats/users").json()["namespaces"]) == ["users"]


def test_keys_come_in_pages(store: Cache, admin: Admin) -> None:
    store.set_many("quizzes", {f"q:{n}": n for n in range(5)})
    store.set("quizzes", "other", 1)
    keys: list[str] = []
    after = ""
    while after is not None:
        page = admin.ask("GET", f"/keys/quizzes?match=q:*&limit=2{after and '&after='}{after}").json()
        keys += page["keys"]
        after = page["next"]
    assert sorted(keys) == [f"q:{n}" for n in range(5)]
    assert admin.ask("GET", "/explain/quizzes?key=other").json()["state"] == "fresh"


def test_clearing(store: Cache, admin: Admin) -> None:
    def fill() -> None:
        store.set_many("quizzes", {"q:1": 1, "q:2": 2}, tags=["course:7"])
        store.set("quizzes", "other", 1)

    fill()
    dry = admin.ask("POST", "/clear/quizzes", {"match": "q:*", "dry_run": True}).json()
    assert (dry["cleared"], sorted(dry["sample"])) == (2, ["q:1", "q:2"])
    assert admin.ask("POST", "/clear/quizzes", {"match": "q:*"}).json() == {"cleared": 2}
    fill()
    assert admin.ask("POST", "/clear/quizzes", {"tags": ["course:7"]}).json() == {"cleared": 2}
    fill()
    assert admin.ask("POST", "/clear/quizzes").json() == {"cleared": 3}
    assert admin.ask("POST", "/clear/none").json() == {"cleared": 0}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        # Misspelled it would clear all.
        ({"mach": "q:*"}, 422, "mach"),
        ({"match": "q:*", "tags": ["t"]}, 400, "bad_request"),
        ({"match": "["}, 400, "bad_request"),
    ],
)
def test_a_clear_that_is_none_clears_nothing(
    store: Cache, admin: Admin, body: dict[str, Any], status: int, said: str
) -> None:
    store.set("quizzes", "q:1", 1)
    response = admin.ask("POST", "/clear/quizzes", body)
    assert (response.status_code, said in response.text) == (status, True)
    assert store.exists("quizzes", "q:1")


def test_policy(store: Cache, admin: Admin) -> None:
    assert admin.ask("GET", "/policy/quizzes").json()["ttl"] == 300
    assert admin.ask("PATCH", "/policy/quizzes", {"ttl": "10m"}).json()["ttl"] == 600
    assert admin.ask("GET", "/policy/quizzes").json()["ttl"] == 600
    refused = admin.ask("PATCH", "/policy/quizzes", {"tll": "10m"})
    assert refused.status_code == 400
    assert 'did you mean \\"ttl\\"' in refused.text


@pytest.fixture
def warmed() -> Iterator[list[int]]:
    """What a function was called with by a warmer named `numbers`."""
    called: list[int] = []

    @cached("numbers", key="{n}")
    async def number(n: int) -> int:
        called.append(n)
        return n

    @warmer("numbers", number)
    def numbers() -> Iterator[int]:
        yield from range(3)

    yield called
    del _warming._warmers["numbers"]


def test_warming(store: Cache, admin: Admin, warmed: list[int]) -> None:
    assert admin.ask("GET", "/warm").json() == {"warmers": ["numbers"], "runs": []}
    (run,) = admin.ask("POST", "/warm", {"names": ["numbers"]}).json()["runs"]
    assert (run["state"], run["asked"], sorted(warmed)) == ("done", 3, [0, 1, 2])
    assert admin.ask("GET", "/warm").json()["runs"] == [run]
    assert admin.ask("POST", "/warm").json()["runs"][0]["asked"] == 3
    unknown = admin.ask("POST", "/warm", {"names": ["others"]})
    assert (unknown.status_code, "there is numbers" in unknown.text) == (404, True)


def test_warmers_run_from_the_start_on(store: Cache, warmed: list[int]) -> None:
    app = FastAPI(lifespan=lifespan(warm=["numbers"]))

    async def run() -> None:
        async with app.router.lifespan_context(app):
            while not await warm_runs():
                await asyncio.sleep(0.001)

    asyncio.run(run())
    assert sorted(warmed) == [0, 1, 2]


def test_a_warming_that_fails_does_not_keep_the_app_from_its_start(
    store: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI(lifespan=lifespan(warm=["none"]))

    async def run() -> None:
        async with app.router.lifespan_context(app):
            while not caplog.records:
                await asyncio.sleep(0)

    asyncio.run(run())
    assert "there is no warmer none" in caplog.text
    with pytest.raises(TypeError, match="expected a list"):
        lifespan(warm="none")


def test_a_sidecar_that_is_gone_is_told(admin: Admin, tmp_path: Path) -> None:
    configure(socket=tmp_path / "none.sock", breaker_pause=60)
    for method, path in (("GET", "/stats"), ("POST", "/clear/x"), ("GET", "/policy/x")):
        response = admin.ask(method, path)
        assert (response.status_code, response.json()["detail"]["code"]) == (503, "unavailable")


# MARK: The app's life


def test_the_connection_is_closed_at_the_end(store: Cache) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncGenerator[dict[str, int], None]:
        told.append("start")
        yield {"answer": 42}
        # It may still use the cache.
        assert await cache.ping()
        told.append("end")

    app = FastAPI(lifespan=lifespan(own))

    async def run() -> None:
        async with app.router.lifespan_context(app) as state:
            assert state == {"answer": 42}
            assert await cache.ping()
            assert store.stats()["connections"] == 2
        while store.stats()["connections"] > 1:
            await asyncio.sleep(0.001)

    asyncio.run(run())
    assert told == ["start", "end"]


def test_without_a_lifespan_of_its_own(store: Cache) -> None:
    app = FastAPI(lifespan=lifespan())

    async def run() -> None:
        async with app.router.lifespan_context(app):
            assert await cache.ping()

    asyncio.run(run())


def test_routes_are_given_the_cache_or_a_tests_own(store: Cache) -> None:
    with Site({}) as site:

        @site.app.get("/raises")
        async def raises(cache: CacheDep) -> bool:
            return cache is not get_cache()

        assert site.get("/raises").json() is False
        site.app.dependency_overrides[get_cache] = lambda: AsyncCache("/nowhere")
        assert site.get("/raises").json() is True
