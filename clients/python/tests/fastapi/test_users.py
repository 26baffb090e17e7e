"""Whose answer it is: no user is shown another's. Of the table of what other HTTP caches get wrong it holds the rows of
two users by `Authorization`, and by `Cookie`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import Depends, HTTPException, Request

from pannier.fastapi import http_cache
from web import NAME, Site, is_hit, status_of

if TYPE_CHECKING:
    from cached_routes import Routes
    from pannier import Cache

pytest_plugins = ["cached_routes"]


@pytest.mark.parametrize("header", ["authorization", "cookie", "x_api_key"])
def test_two_users_never_share(routes: Routes, header: str) -> None:
    site, name = routes.site, header.replace("_", "-")

    @routes.cached("/me")
    async def me(request: Request) -> str:
        return f"page of {request.headers.get(name)}"

    # What was kept for nobody in particular is nothing for a user, either.
    assert site.get("/me").json() == "page of None"
    for user in ("ann", "bob", "ann"):
        response = site.get("/me", **{header: user})
        assert response.json() == f"page of {user}"
        assert status_of(response) == f"fwd=bypass; detail={name}"
    assert is_hit(site.get("/me"))
    assert site.get("/me").json() == "page of None"


@pytest.mark.parametrize("header", ["authorization", "cookie"])
def test_each_user_has_its_own_where_the_route_says_who_it_is(routes: Routes, header: str) -> None:
    site = routes.site

    def user(request: Request) -> str | None:
        return request.headers.get(header)

    @routes.cached("/me", user_key=user)
    async def me(request: Request) -> str:
        site.runs[str(request.headers.get(header))] += 1
        return f"page of {request.headers.get(header)}"

    for name in ("ann", "bob", "ann", "bob"):
        response = site.get("/me", **{header: name})
        assert response.json() == f"page of {name}"
        # Nothing between here and there may show it to another.
        assert response.headers["cache-control"] == "private, no-cache"
    assert site.runs == {"ann": 1, "bob": 1}
    assert status_of(site.get("/me")) == "fwd=bypass; detail=no-user"


def test_what_is_public_is_shared_whoever_asks(routes: Routes) -> None:
    site = routes.site

    @routes.cached("/news", public=True)
    async def news() -> str:
        site.runs["news"] += 1
        return "news"

    for user in ("ann", "bob"):
        site.get("/news", cookie=user, authorization=user)
    assert site.runs["news"] == 1


def guard(request: Request) -> None:
    if request.headers.get("x-guard") != "open":
        raise HTTPException(401)


def test_whom_a_dependency_turns_away_is_shown_nothing(store: Cache) -> None:
    with Site({}) as site:

        @site.app.get("/x", dependencies=[Depends(guard)])
        @http_cache("60s")
        async def x() -> int:
            return 1

        site.get("/x", x_guard="open")
        assert is_hit(site.get("/x", x_guard="open"))
        for headers in ({}, {"if_none_match": "*"}, {"cache_control": "only-if-cached"}):
            assert site.get("/x", **headers).status_code == 401


def test_a_user_key_may_be_awaited_and_see_what_dependencies_found(store: Cache) -> None:
    async def user(request: Request) -> str:
        return str(request.state.user)

    async def authenticate(request: Request) -> None:
        request.state.user = request.headers["authorization"].removeprefix("Bearer ")

    with Site({}) as site:

        @site.app.get("/me", dependencies=[Depends(authenticate)])
        @http_cache("60s", user_key=user)
        async def me(request: Request) -> str:
            site.runs[request.state.user] += 1
            return str(request.state.user)

        for name in ("ann", "bob", "ann"):
            assert site.get("/me", authorization=f"Bearer {name}").json() == name
        assert site.runs == {"ann": 1, "bob": 1}
        assert sorted(store.keys("http")) == [f"{NAME}/me user=ann", f"{NAME}/me user=bob"]


def test_one_warning_a_rule_says_why_requests_are_not_cached(store: Cache, caplog: pytest.LogCaptureFixture) -> None:
    with Site({"rules": {"/a*": "60s", "/b": "60s"}}) as site:
        for path in ("/a1", "/a2", "/b", "/b"):
            site.get(path, cookie="a=b")
    assert [record.message for record in caplog.records] == [
        f"{glob}: requests with cookie aren't cached: say `public`, or give a `user_key`" for glob in ("/a*", "/b")
    ]
