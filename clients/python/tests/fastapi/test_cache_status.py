"""Every answer says how it came about (RFC 9211). Of the table of what other HTTP caches get wrong it holds the rows of
the status header and of `Cache-Status`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Response  # noqa: TC002 - FastAPI looks it up

from web import Site, status_of

if TYPE_CHECKING:
    from cached_routes import Routes
    from pannier import Cache

pytest_plugins = ["cached_routes"]


def test_every_answer_says_how_it_came_about(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/page")
    async def page() -> int:
        return 1

    @site.app.get("/plain")
    async def plain() -> int:
        return 1

    @site.app.post("/plain")
    async def change() -> int:
        return 1

    said = [
        status_of(site.ask(method, path, **headers))
        for method, path, headers in (
            ("GET", "/page", {}),
            ("GET", "/page", {}),
            ("HEAD", "/page", {}),
            ("GET", "/page", {"if_none_match": "*"}),
            ("GET", "/page", {"cookie": "a=b"}),
            ("GET", "/page", {"range": "bytes=0-1"}),
            ("GET", "/page", {"if_match": '"x"'}),
            ("GET", "/plain", {}),
            ("GET", "/nowhere", {}),
            ("POST", "/plain", {}),
            ("OPTIONS", "/plain", {}),
            ("GET", "/page?other", {"cache_control": "only-if-cached"}),
            ("GET", "/page", {"cache_control": "only-if-cached"}),
        )
    ]
    assert said == [
        "fwd=uri-miss; ttl=60; stored",
        "hit; ttl=60",
        "hit; ttl=60",
        "hit; ttl=60",
        "fwd=bypass; detail=cookie",
        "fwd=bypass; detail=range",
        "fwd=bypass; detail=condition",
        "fwd=bypass; detail=no-rule",
        "fwd=bypass; detail=no-rule",
        "fwd=method",
        "fwd=method",
        "detail=only-if-cached",
        "hit; ttl=60",
    ]
    assert site.get("/page?other", cache_control="only-if-cached").status_code == 504


def test_caches_nearer_to_the_origin_stand_before_ours(routes: Routes) -> None:
    @routes.cached("/page")
    async def page(response: Response) -> int:
        response.headers["Cache-Status"] = "inner; hit"
        return 1

    assert routes.site.get("/page").headers["cache-status"].startswith("inner; hit, pannier; fwd=uri-miss")
    # What it said of the first request is nothing that holds for the second.
    assert routes.site.get("/page").headers["cache-status"] == "pannier; hit; ttl=60"


def test_an_error_that_nobody_caught_is_answered_outside(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x() -> None:
            raise RuntimeError("broken")

        response = site.get("/x")
        assert (response.status_code, "cache-status" in response.headers) == (500, False)
