"""What is kept apart: answers of one URI that vary, and URIs that differ. Of the table of what other HTTP caches get
wrong it holds the rows of the handler's `Vary`, of the undeclared query parameter, and of `?a&b` = `?b&a`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from web import Site, is_hit, status_of

if TYPE_CHECKING:
    from cached_routes import Routes
    from pannier import Cache

pytest_plugins = ["cached_routes"]


def test_the_handlers_vary_is_respected(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/greeting")
    async def greeting(request: Request, response: Response) -> str:
        language = request.headers.get("accept-language", "none")
        site.runs[language] += 1
        response.headers["Vary"] = "Accept-Language"
        return language

    for language in ("de", "fr", "de", "fr", "it", "it"):
        assert site.get("/greeting", accept_language=language).json() == language
    assert site.get("/greeting").json() == "none"
    assert site.runs == {"de": 1, "fr": 1, "it": 1, "none": 1}
    assert is_hit(site.get("/greeting", accept_language="de"))
    assert "vary" in site.get("/greeting", accept_language="de").headers


def test_answers_of_one_url_may_vary_by_different_headers(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/x")
    async def x(request: Request, response: Response) -> list[str | None]:
        a, b = request.headers.get("a"), request.headers.get("b")
        site.runs[f"{a}{b}"] += 1
        response.headers["Vary"] = "A" if a == "1" else "A, B"
        return [a, b]

    for _ in range(3):
        for a, b in (("1", "1"), ("2", "1"), ("2", "2"), ("3", "1")):
            assert site.get("/x", a=a, b=b).json() == [a, b]
    assert site.runs == {"11": 1, "21": 1, "22": 1, "31": 1}
    assert site.ask("HEAD", "/x", a="2", b="2", cache_control="only-if-cached").status_code == 200
    assert site.ask("HEAD", "/x", a="2", b="3", cache_control="only-if-cached").status_code == 504


def test_a_header_that_the_rule_names_is_respected_and_told(routes: Routes) -> None:
    @routes.cached("/greeting", vary=["X-Tenant"])
    async def greeting(request: Request) -> str:
        return request.headers.get("x-tenant", "none")

    for tenant in ("a", "b", "a"):
        response = routes.site.get("/greeting", x_tenant=tenant)
        assert response.json() == tenant
        assert response.headers["vary"] == "x-tenant"
    assert is_hit(response)


def test_an_answer_that_varies_by_anything_is_not_kept(routes: Routes) -> None:
    @routes.cached("/x")
    async def any_of(response: Response) -> int:
        response.headers["Vary"] = "*"
        return 1

    assert status_of(routes.site.get("/x")) == "fwd=uri-miss; detail=vary"


def test_undeclared_parameters_are_keyed(routes: Routes) -> None:
    @routes.cached("/q")
    async def q(request: Request) -> str:
        return str(request.url.query)

    assert routes.site.get("/q?a=1").json() == "a=1"
    assert routes.site.get("/q?a=2").json() == "a=2"
    assert routes.site.get("/q").json() == ""
    assert routes.site.get("/q?a=1").json() == "a=1"


def test_the_order_of_parameters_is_nothing(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/q")
    async def q(a: int, b: int) -> int:
        site.runs["q"] += 1
        return a - b

    assert site.get("/q?a=1&b=2").json() == site.get("/q?b=2&a=1").json() == -1
    assert site.runs["q"] == 1


def test_the_order_of_one_parameters_values_is_something(routes: Routes) -> None:
    @routes.cached("/q")
    async def q(request: Request) -> list[str]:
        return request.query_params.getlist("a")

    assert routes.site.get("/q?a=2&a=1").json() == ["2", "1"]
    assert routes.site.get("/q?a=1&a=2").json() == ["1", "2"]


def test_a_compressed_answer_is_a_variant(store: Cache) -> None:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    with Site({"default": "60s"}, app) as site:

        @app.get("/x")
        async def x() -> str:
            site.runs["x"] += 1
            return "long " * 500

        found = [site.get("/x", accept_encoding=encoding) for encoding in ("gzip", "identity", "gzip", "identity")]
        assert [response.headers.get("content-encoding") for response in found] == ["gzip", None, "gzip", None]
        assert len({response.json() for response in found}) == 1
        assert site.runs["x"] == 2
        assert found[0].headers["etag"] != found[1].headers["etag"]


def test_each_host_and_scheme_has_its_own(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/x")
        async def x(request: Request) -> str:
            return str(request.url)

        assert site.get("/x", host="a").json() == "http://a/x"
        assert site.get("/x", host="b").json() == "http://b/x"
        assert site.get("https://a/x").json() == "https://a/x"


def test_another_version_of_the_app_has_its_own(store: Cache) -> None:
    for version in ("1", "2"):
        with Site({"default": "60s", "version": version}) as site:

            @site.app.get("/x")
            async def x(v: str = version) -> str:
                return v

            assert site.get("/x").json() == version
