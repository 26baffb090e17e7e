"""What six other HTTP caches get wrong, a test for each: by a rule of the path, and by the route's decorator."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from callers import pass_time
from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from pannier.fastapi import HTTPCache, Rule, http_cache
from pannier.fastapi._validation import etag_of
from web import Site, is_hit, is_stored, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from daemon import Daemon
    from pannier import Cache


class Made:
    """Routes of a site that are cached in one way or the other."""

    def __init__(self, site: Site, kind: str, rules: dict[str, Any]) -> None:
        self.site = site
        self._kind = kind
        self._rules = rules

    def route(self, path: str, *, ttl: Any = "60s", **options: Any) -> Callable[[Any], Any]:
        def decorate(function: Any) -> Any:
            if self._kind == "path":
                self._rules[path.replace("{n}", "*")] = Rule(ttl, **options)
                return self.site.app.get(path)(function)
            return self.site.app.get(path)(http_cache(ttl, **options)(function))

        return decorate


@pytest.fixture(params=["path", "route"])
def made(request: pytest.FixtureRequest, sidecar: Daemon) -> Iterator[Made]:
    rules: dict[str, Any] = {}
    with Site() as site:
        # Starlette makes the middleware when the first request comes.
        site.app.add_middleware(HTTPCache, rules=rules)
        yield Made(site, request.param, rules)


@pytest.mark.parametrize("header", ["authorization", "cookie", "x_api_key"])
def test_two_users_never_share(made: Made, header: str) -> None:
    site, name = made.site, header.replace("_", "-")

    @made.route("/me")
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
def test_each_user_has_its_own_where_the_route_says_who_it_is(made: Made, header: str) -> None:
    site = made.site

    def user(request: Request) -> str | None:
        return request.headers.get(header)

    @made.route("/me", user_key=user)
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


def test_what_is_public_is_shared_whoever_asks(made: Made) -> None:
    site = made.site

    @made.route("/news", public=True)
    async def news() -> str:
        site.runs["news"] += 1
        return "news"

    for user in ("ann", "bob"):
        site.get("/news", cookie=user, authorization=user)
    assert site.runs["news"] == 1


def test_an_answer_with_a_cookie_is_not_kept(made: Made) -> None:
    @made.route("/login")
    async def login(response: Response) -> str:
        response.set_cookie("session", "secret")
        return "welcome"

    response = made.site.get("/login")
    assert status_of(response) == "fwd=uri-miss; detail=set-cookie"
    again = made.site.get("/login")
    # Nobody waits for another's run of what can't be kept.
    assert not is_hit(again)
    assert again.headers["set-cookie"] == response.headers["set-cookie"]


def test_the_handlers_vary_is_respected(made: Made) -> None:
    site = made.site

    @made.route("/greeting")
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


def test_answers_of_one_url_may_vary_by_different_headers(made: Made) -> None:
    site = made.site

    @made.route("/x")
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


def test_a_header_that_the_rule_names_is_respected_and_told(made: Made) -> None:
    @made.route("/greeting", vary=["X-Tenant"])
    async def greeting(request: Request) -> str:
        return request.headers.get("x-tenant", "none")

    for tenant in ("a", "b", "a"):
        response = made.site.get("/greeting", x_tenant=tenant)
        assert response.json() == tenant
        assert response.headers["vary"] == "x-tenant"
    assert is_hit(response)


def test_an_answer_that_varies_by_anything_is_not_kept(made: Made) -> None:
    @made.route("/x")
    async def any_of(response: Response) -> int:
        response.headers["Vary"] = "*"
        return 1

    assert status_of(made.site.get("/x")) == "fwd=uri-miss; detail=vary"


def test_undeclared_parameters_are_keyed(made: Made) -> None:
    @made.route("/q")
    async def q(request: Request) -> str:
        return str(request.url.query)

    assert made.site.get("/q?a=1").json() == "a=1"
    assert made.site.get("/q?a=2").json() == "a=2"
    assert made.site.get("/q").json() == ""
    assert made.site.get("/q?a=1").json() == "a=1"


def test_errors_are_not_kept_and_keep_their_status(made: Made) -> None:
    @made.route("/returned/{n}")
    async def returned(n: int, response: Response) -> int:
        response.status_code = n
        return n

    @made.route("/raised/{n}")
    async def raised(n: int) -> int:
        raise HTTPException(n)

    for kind in ("returned", "raised"):
        for status in (404, 410, 500, 503):
            first, second = [made.site.get(f"/{kind}/{status}") for _ in range(2)]
            assert (first.status_code, second.status_code) == (status, status)
            assert not is_hit(second)
            assert not is_stored(first)
            # The handler's word on what it is, and no ETag of ours.
            assert "etag" not in second.headers


def test_a_404_is_kept_as_one_where_the_rule_says_so(made: Made) -> None:
    site = made.site

    @made.route("/nobody/{n}", statuses=[404])
    async def nobody(n: int) -> int:
        site.runs["nobody"] += 1
        raise HTTPException(404, "nobody")

    first, second = [site.get("/nobody/1") for _ in range(2)]
    assert (first.status_code, second.status_code) == (404, 404)
    assert first.content == second.content
    assert site.runs["nobody"] == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("no-store", "no-store"),
        ("private, max-age=60", "private"),
        ('private="x-name"', "private"),
        ("no-cache", "no-cache"),
        ("max-age=0", "no-lifetime"),
        ("MAX-AGE=60, No-Store", "no-store"),
        ("max-age=oops", "no-lifetime"),
    ],
)
def test_a_handler_that_wants_nothing_kept_is_heard(made: Made, said: str, reason: str) -> None:
    site = made.site

    @made.route("/own")
    async def own(response: Response) -> int:
        site.runs["own"] += 1
        response.headers["Cache-Control"] = said
        return site.runs["own"]

    assert status_of(site.get("/own")) == f"fwd=uri-miss; detail={reason}"
    second = site.get("/own")
    # Others aren't made to wait for what can't be kept: each runs it for itself.
    assert (second.json(), second.headers["cache-control"]) == (2, said)
    assert ("etag" in second.headers) is (reason != "no-store")


def test_a_stream_goes_through_as_it_comes(made: Made) -> None:
    site = made.site

    @made.route("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for n in range(3):
                yield b"part %d\n" % n

        return StreamingResponse(parts())

    for _ in range(2):
        response = site.get("/stream")
        assert (response.status_code, response.content) == (200, b"part 0\npart 1\npart 2\n")
        assert status_of(response) == "fwd=uri-miss; detail=stream"
        assert "etag" not in response.headers


def test_no_part_of_a_stream_waits_for_the_next(made: Made) -> None:
    site = made.site
    gate = asyncio.Event()
    seen: list[Any] = []

    @made.route("/events")
    async def events() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await gate.wait()
            yield b"data: 2\n\n"

        return StreamingResponse(parts(), media_type="text/event-stream")

    async def receive() -> dict[str, Any]:
        if len(seen) > 100:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        seen.append(message)
        if message.get("body") == b"data: 1\n\n":
            # It is here while the handler waits for this.
            gate.set()

    scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"", "headers": []}
    site.wait_for(site.app(scope, receive, send))
    assert [message.get("body") for message in seen[1:3]] == [b"data: 1\n\n", b"data: 2\n\n"]


def test_etags_are_strong_and_the_same_in_every_worker(made: Made) -> None:
    @made.route("/tag")
    async def tag() -> dict[str, int]:
        return {"a": 1}

    first, second = [made.site.get("/tag").headers["etag"] for _ in range(2)]
    assert first == second
    # Of the bytes alone: no other process, nor another's seed of hashes, comes to another.
    assert first.encode() == etag_of(b'{"a":1}')
    assert re.fullmatch(r'"[0-9a-f]{32}"', first)


def test_a_304_is_of_this_url_alone(made: Made) -> None:
    @made.route("/page/{n}")
    async def page(n: int) -> int:
        return n

    other = made.site.get("/page/1").headers["etag"]
    for _ in range(2):
        response = made.site.get("/page/2", if_none_match=other)
        assert (response.status_code, response.json()) == (200, 2)


def test_if_none_match_as_list_weak_and_star(made: Made) -> None:
    @made.route("/tag")
    async def tag() -> int:
        return 1

    def etag() -> str:
        found: str = made.site.get("/tag").headers["etag"]
        return found

    ours = etag()
    for text in (ours, f"W/{ours}", f'"other", {ours}', f'W/"a", W/{ours} , "b"', "*"):
        response = made.site.get("/tag", if_none_match=text)
        assert (text, response.status_code, response.content) == (text, 304, b"")
    for text in ('"other"', ours.strip('"'), 'W/"other"', ours[:-2] + '"', ""):
        assert (text, made.site.get("/tag", if_none_match=text).status_code) == (text, 200)


def test_a_cold_request_with_if_none_match_fills_the_cache(made: Made) -> None:
    @made.route("/tag")
    async def tag() -> int:
        return 1

    response = made.site.get("/tag", if_none_match="*")
    assert (response.status_code, is_stored(response)) == (304, True)
    assert made.site.get("/tag").json() == 1


def test_a_304_has_its_headers(made: Made) -> None:
    @made.route("/tag")
    async def tag(response: Response) -> int:
        response.headers["Cache-Control"] = "max-age=60"
        response.headers["Content-Location"] = "/elsewhere"
        response.headers["Date"] = "Fri, 27 Nov 2026 10:00:00 GMT"
        response.headers["Expires"] = "Fri, 27 Nov 2026 10:01:00 GMT"
        response.headers["Vary"] = "Accept"
        return 1

    whole = made.site.get("/tag")
    short = made.site.get("/tag", if_none_match=whole.headers["etag"])
    assert short.status_code == 304
    for name in ("cache-control", "content-location", "date", "etag", "expires", "vary"):
        assert short.headers[name] == whole.headers[name]
    assert "content-type" not in short.headers
    assert "content-length" not in short.headers


def test_age_is_how_long_it_has_been_kept(made: Made, sidecar: Daemon) -> None:
    @made.route("/age")
    async def age(response: Response) -> int:
        response.headers["Cache-Control"] = "max-age=60"
        return 1

    assert "age" not in made.site.get("/age").headers
    pass_time(sidecar, 25)
    response = made.site.get("/age")
    # Age tells; max-age is as it was first said, and not both.
    assert (response.headers["age"], response.headers["cache-control"]) == ("25", "max-age=60")
    assert status_of(response) == "hit; ttl=35"
    pass_time(sidecar, 36)
    assert is_stored(made.site.get("/age"))


@pytest.mark.parametrize("said", ["no-cache", "foo, No-Cache", "max-age=0", "max-age=0, no-transform"])
@pytest.mark.parametrize("is_trusted", [True, False])
def test_who_is_trusted_may_ask_for_what_is_newer(sidecar: Daemon, said: str, is_trusted: bool) -> None:
    with Site({"trust_client": lambda request: is_trusted, "default": "60s"}) as site:

        @site.app.get("/n")
        async def number() -> int:
            site.runs["n"] += 1
            return site.runs["n"]

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


def test_head_is_answered_by_what_get_brings(made: Made) -> None:
    site = made.site

    @made.route("/page")
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

        assert site.ask("HEAD", "/page").headers["content-length"] == "0"
        assert site.get("/page").text == "page"
        assert site.ask("HEAD", "/page").headers["content-length"] == "4"
        assert site.runs == {"HEAD": 1, "GET": 1}


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


def test_the_order_of_parameters_is_nothing(made: Made) -> None:
    site = made.site

    @made.route("/q")
    async def q(a: int, b: int) -> int:
        site.runs["q"] += 1
        return a - b

    assert site.get("/q?a=1&b=2").json() == site.get("/q?b=2&a=1").json() == -1
    assert site.runs["q"] == 1


def test_the_order_of_one_parameters_values_is_something(made: Made) -> None:
    @made.route("/q")
    async def q(request: Request) -> list[str]:
        return request.query_params.getlist("a")

    assert made.site.get("/q?a=2&a=1").json() == ["2", "1"]
    assert made.site.get("/q?a=1&a=2").json() == ["1", "2"]


def test_fifty_cold_requests_run_the_handler_once(made: Made) -> None:
    site = made.site

    @made.route("/slow")
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


def test_every_answer_says_how_it_came_about(made: Made) -> None:
    site = made.site

    @made.route("/page")
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


def test_caches_nearer_to_the_origin_stand_before_ours(made: Made) -> None:
    @made.route("/page")
    async def page(response: Response) -> int:
        response.headers["Cache-Status"] = "inner; hit"
        return 1

    assert made.site.get("/page").headers["cache-status"].startswith("inner; hit, pannier; fwd=uri-miss")
    # What it said of the first request is nothing that holds for the second.
    assert made.site.get("/page").headers["cache-status"] == "pannier; hit; ttl=60"
