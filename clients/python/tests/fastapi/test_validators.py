"""Whether a client has an answer already: ETags, dates, and 304. Of the table of what other HTTP caches get wrong it
holds the rows of the ETag, of `If-None-Match` as a list, weak and `*`, and of the headers that a 304 carries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi import Request, Response

from fields import LATER_TEXT, NOW_TEXT, fields
from pannier.fastapi._validation import etag_of, is_unchanged
from web import Site, is_stored

if TYPE_CHECKING:
    from cached_routes import Routes
    from pannier import Cache

pytest_plugins = ["cached_routes"]


def test_etags_are_strong_and_the_same_in_every_worker(routes: Routes) -> None:
    @routes.cached("/tag")
    async def tag() -> dict[str, int]:
        return {"a": 1}

    first, second = [routes.site.get("/tag").headers["etag"] for _ in range(2)]
    assert first == second
    # Of the bytes alone: no other process, nor another's seed of hashes, comes to another.
    assert first.encode() == etag_of(b'{"a":1}')
    assert re.fullmatch(r'"[0-9a-f]{32}"', first)


def test_a_304_is_of_this_url_alone(routes: Routes) -> None:
    @routes.cached("/page/{n}")
    async def page(n: int) -> int:
        return n

    other = routes.site.get("/page/1").headers["etag"]
    for _ in range(2):
        response = routes.site.get("/page/2", if_none_match=other)
        assert (response.status_code, response.json()) == (200, 2)


def test_if_none_match_as_list_weak_and_star(routes: Routes) -> None:
    @routes.cached("/tag")
    async def tag() -> int:
        return 1

    def etag() -> str:
        found: str = routes.site.get("/tag").headers["etag"]
        return found

    ours = etag()
    for text in (ours, f"W/{ours}", f'"other", {ours}', f'W/"a", W/{ours} , "b"', "*"):
        response = routes.site.get("/tag", if_none_match=text)
        assert (text, response.status_code, response.content) == (text, 304, b"")
    for text in ('"other"', ours.strip('"'), 'W/"other"', ours[:-2] + '"', ""):
        assert (text, routes.site.get("/tag", if_none_match=text).status_code) == (text, 200)


def test_a_cold_request_with_if_none_match_fills_the_cache(routes: Routes) -> None:
    @routes.cached("/tag")
    async def tag() -> int:
        return 1

    response = routes.site.get("/tag", if_none_match="*")
    assert (response.status_code, is_stored(response)) == (304, True)
    assert routes.site.get("/tag").json() == 1


def test_a_304_has_its_headers(routes: Routes) -> None:
    @routes.cached("/tag")
    async def tag(response: Response) -> int:
        response.headers["Cache-Control"] = "max-age=60"
        response.headers["Content-Location"] = "/elsewhere"
        response.headers["Date"] = "Fri, 27 Nov 2026 10:00:00 GMT"
        response.headers["Expires"] = "Fri, 27 Nov 2026 10:01:00 GMT"
        response.headers["Vary"] = "Accept"
        return 1

    whole = routes.site.get("/tag")
    short = routes.site.get("/tag", if_none_match=whole.headers["etag"])
    assert short.status_code == 304
    for name in ("cache-control", "content-location", "date", "etag", "expires", "vary"):
        assert short.headers[name] == whole.headers[name]
    assert "content-type" not in short.headers
    assert "content-length" not in short.headers


def test_a_handler_that_validates_by_itself_is_asked_for_the_whole(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/page")
        async def page(request: Request) -> Response:
            site.runs["page"] += 1
            tag = {"etag": '"own"'}
            return (
                Response(status_code=304, headers=tag) if "if-none-match" in request.headers else Response("", 200, tag)
            )

        for _ in range(2):
            assert site.get("/page", if_none_match='"own"').status_code == 304
        assert site.runs["page"] == 1


@pytest.mark.parametrize(
    ("asked", "answered", "unchanged"),
    [
        ({}, {"etag": '"a"'}, False),
        ({"if_none_match": '"a"'}, {"etag": '"a"'}, True),
        ({"if_none_match": '"a"'}, {"etag": 'W/"a"'}, True),
        ({"if_none_match": '"x,a", "y"'}, {"etag": '"a"'}, False),
        ({"if_none_match": '"x,a"'}, {"etag": '"x,a"'}, True),
        ({"if_none_match": "*"}, {}, True),
        ({"if_none_match": '"a"'}, {}, False),
        ({"if_none_match": "a"}, {"etag": "a"}, False),
        ({"if_modified_since": NOW_TEXT}, {"last_modified": NOW_TEXT}, True),
        ({"if_modified_since": NOW_TEXT}, {"last_modified": LATER_TEXT}, False),
        ({"if_modified_since": "yesterday"}, {"last_modified": NOW_TEXT}, False),
        ({"if_modified_since": NOW_TEXT}, {"last_modified": "27 Nov 2026 10:00:00 -0000"}, False),
        # The tag goes before the time.
        ({"if_modified_since": LATER_TEXT, "if_none_match": '"b"'}, {"etag": '"a"', "last_modified": NOW_TEXT}, False),
    ],
)
def test_whether_the_client_has_it(asked: dict[str, str], answered: dict[str, str], unchanged: bool) -> None:
    assert is_unchanged(fields(**asked), fields(**answered)) is unchanged
