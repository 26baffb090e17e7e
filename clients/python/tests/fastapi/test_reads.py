"""How a client reads what is kept: its age, what is newer, its headers alone. Of the table of what other HTTP caches
get wrong it holds the rows of `Age` on a hit, of the request's `no-cache` and `max-age=0`, and of HEAD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from callers import pass_time
from fastapi import Request, Response

from pannier.fastapi import http_cache
from web import Site, is_hit, is_stored, status_of

if TYPE_CHECKING:
    from cached_routes import Routes
    from daemon import Daemon
    from pannier import Cache

pytest_plugins = ["cached_routes"]


def test_age_is_how_long_it_has_been_kept(routes: Routes, sidecar: Daemon) -> None:
    @routes.cached("/age")
    async def age(response: Response) -> int:
        response.headers["Cache-Control"] = "max-age=60"
        return 1

    assert "age" not in routes.site.get("/age").headers
    pass_time(sidecar, 25)
    response = routes.site.get("/age")
    # Age tells; max-age is as it was first said, and not both.
    assert (response.headers["age"], response.headers["cache-control"]) == ("25", "max-age=60")
    assert status_of(response) == "hit; ttl=35"
    pass_time(sidecar, 36)
    assert is_stored(routes.site.get("/age"))


@pytest.mark.parametrize("said", ["no-cache", "foo, No-Cache", "max-age=0", "max-age=0, no-transform"])
@pytest.mark.parametrize("is_trusted", [True, False])
def test_who_is_trusted_may_ask_for_what_is_newer(sidecar: Daemon, said: str, is_trusted: bool) -> None:
    with Site({"trust_client": lambda request: is_trusted, "default": "60s"}) as site:
        site.count_runs("/n")
        site.get("/n")
        pass_time(sidecar, 1)
        response = site.get("/n", cache_control=said)
        if is_trusted:
            assert (response.json(), status_of(response)) == (2, "fwd=request; ttl=60; stored")
        else:
            # Anybody could else switch the cache off, or set our ttl.
            assert (response.json(), status_of(response)) == (1, "hit; ttl=59")
        # What it brought is there for all.
        assert site.get("/n").json() == (2 if is_trusted else 1)


def test_head_is_answered_by_what_get_brings(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/page")
    async def page() -> str:
        site.runs["page"] += 1
        return "page"

    for _ in range(2):
        head = site.ask("HEAD", "/page")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "6")
    assert is_hit(head)
    get = site.get("/page")
    assert (get.json(), is_hit(get), get.headers["etag"]) == ("page", True, head.headers["etag"])
    assert site.runs["page"] == 1
    assert site.ask("HEAD", "/page", if_none_match=get.headers["etag"]).status_code == 304


def test_what_a_route_itself_answers_to_head_is_not_kept_for_get(store: Cache) -> None:
    with Site({}) as site:

        @site.app.api_route("/page", methods=["GET", "HEAD"])
        @http_cache("60s")
        async def page(request: Request) -> Response:
            site.runs[request.method] += 1
            return Response("" if request.method == "HEAD" else "page")

        own = site.ask("HEAD", "/page").headers
        # An ETag of the body that it doesn't bring would be another than GET's.
        assert (own["content-length"], "etag" in own) == ("0", False)
        assert site.get("/page").text == "page"
        assert site.ask("HEAD", "/page").headers["content-length"] == "4"
        assert site.runs == {"HEAD": 1, "GET": 1}
