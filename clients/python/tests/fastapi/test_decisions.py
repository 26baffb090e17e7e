"""The decisions one by one, without an app and without a sidecar: keys, what may be used, kept, shown, answered 304."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pannier.fastapi._cache_control import LONGEST_SECONDS, CacheControl
from pannier.fastapi._freshness import Use, age_of, use_of
from pannier.fastapi._request import Wish, refusal
from pannier.fastapi._rule import PathRules, Rule
from pannier.fastapi._stored import Stored
from pannier.fastapi._storing import Keeping, judged, kept_headers, with_cache_control, with_vary
from pannier.fastapi._target import Target, path_tag, variant_of
from pannier.fastapi._validation import is_unchanged

# The moment of most of these, and as HTTP writes it.
NOW, NOW_TEXT = 1_795_773_600.0, "Fri, 27 Nov 2026 10:00:00 GMT"
LATER_TEXT = "Fri, 27 Nov 2026 10:01:40 GMT"


def fields(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]


def scope(path: str = "/a", query: str = "", **more: Any) -> dict[str, Any]:
    return {"path": path, "query_string": query.encode(), "headers": fields(host="site"), "scheme": "http", **more}


# MARK: Cache-Control


@pytest.mark.parametrize(
    ("text", "name", "seconds"),
    [
        ("max-age=60", "max-age", 60),
        ("public , MAX-AGE = 60", "max-age", 60),
        ('max-age="60"', "max-age", 60),
        ("max-age", "max-age", 0),
        ("max-age=-1", "max-age", 0),
        ("max-age=1.5", "max-age", 0),
        ("max-age=٣", "max-age", 0),
        ("max-age=60, max-age=60", "max-age", 60),
        ("max-age=60, max-age=5", "max-age", 0),
        ("max-age=" + "9" * 5000, "max-age", LONGEST_SECONDS),
        ("s-maxage=60", "max-age", None),
        ('private="max-age=1", max-age=60', "max-age", 60),
        # Nothing says where an escaped quote ends what, to whoever counts them: it is stale.
        ('x="a\\", max-age=1", max-age=60', "max-age", 0),
        ("", "max-age", None),
    ],
)
def test_seconds_of_a_directive(text: str, name: str, seconds: int | None) -> None:
    assert CacheControl(text).seconds(name) == seconds


def test_a_quote_that_is_not_closed_hides_nothing() -> None:
    assert "no-store" in CacheControl('private="x, no-store')


@given(some.text())
def test_no_cache_control_raises(text: str) -> None:
    said = CacheControl(text)
    for name in ("max-age", "s-maxage", text):
        seconds = said.seconds(name)
        assert seconds is None or 0 <= seconds <= LONGEST_SECONDS
        assert (name in said) is (seconds is not None)


@given(some.lists(some.sampled_from(["no-store", "private", "max-age=5", 'x="a,b"', " ", "=", '"'])))
def test_no_directive_is_lost_among_others(parts: list[str]) -> None:
    said = CacheControl(",".join(parts))
    for name in ("no-store", "private"):
        assert name not in parts or name in said or '"' in parts


# MARK: Keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scope(query="b=2&a=1"), scope(query="a=1&b=2")),
        (scope(raw_path=b"/%61%7e"), scope(raw_path=b"/a~")),
        (scope(raw_path=b"/%c3%a4"), scope(raw_path=b"/%C3%A4")),
        (scope("/ä"), scope("/ä", raw_path=b"/%c3%a4")),
        (scope(raw_path=b"/a?b=1", query="b=1"), scope(query="b=1")),
        (scope(headers=fields(host="SITE:80")), scope()),
        (scope(headers=[], server=("site", 80)), scope()),
    ],
)
def test_what_means_the_same_has_one_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Target(one).key() == Target(other).key()


def test_what_differs_has_keys_of_its_own() -> None:
    keys = [
        Target(scope()).key(),
        Target(scope("/b")).key(),
        Target(scope(raw_path=b"/a%2Fb")).key(),
        Target(scope("/a/b")).key(),
        Target(scope(query="x")).key(),
        Target(scope(query="x=1&x=2")).key(),
        Target(scope(query="x=2&x=1")).key(),
        Target(scope(query="x=1%26x=2")).key(),
        # A redirect of the one to the other would else be a loop.
        Target(scope(scheme="https")).key(),
        Target(scope(headers=fields(host="other"))).key(),
        Target(scope()).key(user=1),
        Target(scope()).key(user="ann"),
        Target(scope()).key(user="ann", version="2"),
        Target(scope()).key(user="ann version=2"),
        Target(scope(query="x user=ann")).key(),
        Target(scope(query="user=ann")).key(),
        # What a client makes up can't be another's: each of these would be a request for /a/b.
        Target(scope("/b", headers=fields(host="site/a"))).key(),
        Target(scope("/a", headers=fields(host="site/a/b?"))).key(),
        Target(scope(headers=fields(host="site/a/b#"))).key(),
        Target(scope("http://site/a/b", headers=fields(host=""))).key(),
        Target(scope("site/a/b", headers=fields(host=""))).key(),
        # Rewritten by something outside.
        Target(scope("/a/b", raw_path=b"/a")).key(),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "http://site/a"
    assert keys[11] == "http://site/a user=ann"


@given(some.binary(max_size=3000), some.binary(max_size=3000), some.text(max_size=300))
def test_any_request_has_a_key_that_the_sidecar_takes(path: bytes, query: bytes, user: str) -> None:
    target = Target({"path": "/", "raw_path": b"/" + path, "query_string": query, "headers": [(b"host", path)]})
    try:
        key = target.key(user=user)
    except TypeError:
        # Half of a surrogate pair.
        assert not user.isascii()
        return
    assert key.isascii()
    assert key.isprintable()
    assert len(key) < 950
    for tag in target.changed_by([path.decode("latin-1")]):
        assert len(tag) <= 128
        assert tag.isascii()


def test_what_a_change_ends_is_of_its_own_origin() -> None:
    target = Target(scope("/quizzes"))
    locations = ["/quizzes/7?x=1", "http://site/quizzes/8", "http://SITE:80/%71", "http://evil/x", "https://site/y"]
    assert target.changed_by([*locations, "9", "//[", ""]) == [
        path_tag(path) for path in ("/quizzes", "/quizzes/7", "/quizzes/8", "/q", "/9")
    ]


def test_a_change_of_what_a_path_was_rewritten_to_ends_it_too() -> None:
    kept = Target(scope("/x", raw_path=b"/de/x")).tags
    for changed in (scope("/x"), scope("/x", raw_path=b"/fr/x"), scope("/x", raw_path=b"/de/x")):
        assert set(kept) & set(Target(changed).changed_by([]))


def test_a_variant_is_of_the_headers_that_are_named() -> None:
    one = variant_of(["accept", "x"], fields(accept="a", cookie="1"))
    assert one == variant_of(["x", "accept"], fields(cookie="2", accept=" a "))
    assert one != variant_of(["accept", "x"], fields(accept="a", x=""))
    assert one != variant_of(["accept"], fields(accept="a"))


# MARK: Requests


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (fields(), None),
        (fields(accept="a"), None),
        (fields(range="bytes=0-"), "range"),
        (fields(if_match="x"), "condition"),
        (fields(if_unmodified_since="x"), "condition"),
        (fields(content_length="0"), None),
        (fields(content_length="1"), "body"),
        (fields(transfer_encoding="chunked"), "body"),
        ([(b"Authorization", b"x")], "authorization"),
        (fields(cookie=""), "cookie"),
        (fields(x_api_key="k"), "x-api-key"),
    ],
)
def test_why_a_request_is_passed_by(headers: list[tuple[bytes, bytes]], reason: str | None) -> None:
    assert refusal(headers, Rule(60)) == reason
    if reason in ("authorization", "cookie", "x-api-key"):
        assert refusal(headers, Rule(60, public=True)) is None
        assert refusal(headers, Rule(60, user_key=lambda request: "ann")) is None
        assert refusal(headers, Rule(60, vary=[reason])) is None


def test_what_a_client_may_ask_for() -> None:
    trusted = Wish(fields(cache_control="max-age=5, no-store"), is_trusted=True)
    assert (trusted.max_age, trusted.is_stored, trusted.only_if_cached) == (5, False, False)
    other = Wish(fields(cache_control="max-age=5, no-store, only-if-cached"), is_trusted=False)
    assert (other.max_age, other.is_stored, other.only_if_cached) == (None, True, True)
    assert Wish(fields(pragma="no-cache"), is_trusted=True).max_age == 0
    assert Wish(fields(pragma="no-cache", cache_control="max-age=9"), is_trusted=True).max_age == 9


# MARK: Answers


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ({}, 60),
        ({"cache_control": "max-age=5"}, 5),
        ({"cache_control": "s-maxage=7, max-age=5"}, 7),
        ({"cache_control": "max-age=5", "expires": LATER_TEXT}, 5),
        ({"expires": LATER_TEXT, "date": NOW_TEXT}, 100),
        ({"expires": LATER_TEXT}, 100),
        ({"cache_control": "max-age=50", "age": "20"}, 30),
        ({"cache_control": "max-age=9999999999"}, LONGEST_SECONDS),
        ({"expires": "Fri, 27 Nov 2099 10:00:00 GMT"}, LONGEST_SECONDS),
    ],
)
def test_how_long_an_answer_is_fresh(headers: dict[str, str], lifetime: float) -> None:
    found = judged(Rule(60), 200, fields(**headers), NOW)
    assert isinstance(found, Keeping)
    assert found.lifetime == lifetime


@pytest.mark.parametrize(
    ("status", "headers", "reason"),
    [
        (206, {}, "status"),
        (302, {}, "status"),
        (404, {}, "status"),
        (500, {"cache_control": "max-age=60"}, "status"),
        (200, {"expires": "0"}, "no-lifetime"),
        (200, {"expires": NOW_TEXT}, "no-lifetime"),
        (200, {"cache_control": "max-age=20", "age": "20"}, "no-lifetime"),
        (200, {"content_range": "bytes 0-1/2"}, "range"),
        (200, {"vary": "accept, *"}, "vary"),
        (200, {"set_cookie": "a=b", "cache_control": "public"}, "set-cookie"),
    ],
)
def test_what_is_not_kept(status: int, headers: dict[str, str], reason: str) -> None:
    assert judged(Rule(60), status, fields(**headers), NOW) == reason


def test_without_a_ttl_only_what_says_its_own_is_kept() -> None:
    assert judged(Rule(), 200, [], NOW) == "no-lifetime"
    assert isinstance(judged(Rule(), 200, fields(cache_control="max-age=1"), NOW), Keeping)


def test_a_users_own_answer_may_be_private() -> None:
    found = judged(Rule(60, user_key=lambda request: "ann"), 200, fields(cache_control="private, s-maxage=9"), NOW)
    assert isinstance(found, Keeping)
    assert found.lifetime == 60


@pytest.mark.parametrize(
    ("said", "windows"),
    [
        (None, (10, 20)),
        ("stale-while-revalidate=1, stale-if-error=2", (1, 2)),
        ("must-revalidate", (0, 0)),
        ("proxy-revalidate, stale-if-error=9", (0, 0)),
        ("s-maxage=60", (0, 0)),
    ],
)
def test_how_long_it_may_be_shown_after_that(said: str | None, windows: tuple[float, float]) -> None:
    headers = fields() if said is None else fields(cache_control=said)
    found = judged(Rule(60, swr=10, sie=20), 200, headers, NOW)
    assert isinstance(found, Keeping)
    assert (found.swr, found.sie) == windows


def test_what_is_of_the_connection_is_not_kept() -> None:
    came = fields(connection="close, X-Hop", x_hop="1", x_end="2", keep_alive="3", age="4", content_length="5")
    assert kept_headers(came) == fields(x_end="2")


def test_what_clients_are_told() -> None:
    assert with_cache_control(Rule(60), []) == fields(cache_control="no-cache")
    assert with_cache_control(Rule(60, max_age="5s"), []) == fields(cache_control="max-age=5")
    mine = Rule(60, max_age="5s", user_key=lambda request: "ann")
    assert with_cache_control(mine, []) == fields(cache_control="private, max-age=5")
    told = fields(cache_control="max-age=1")
    assert with_cache_control(Rule(60), told) == told
    assert with_vary(Rule(60, vary=["a", "b"]), fields(vary="B")) == [(b"vary", b"B"), (b"vary", b"a")]


@pytest.mark.parametrize(
    ("age", "is_stale", "use"),
    [
        (0, False, Use.FRESH),
        (59.9, False, Use.FRESH),
        # An invalidation, or a ttl cut short by the policy.
        (5, True, Use.WHILE_REVALIDATING),
        (60, False, Use.WHILE_REVALIDATING),
        (69.9, True, Use.WHILE_REVALIDATING),
        (70, True, Use.IF_ERROR),
        (89.9, True, Use.IF_ERROR),
        (90, True, Use.NONE),
    ],
)
def test_what_an_answer_is_good_for(age: float, is_stale: bool, use: Use) -> None:
    stored = Stored(200, [], b"", lifetime=60, swr=10, sie=30, age=7)
    assert use_of(stored, age, is_stale=is_stale) is use
    assert age_of(stored, age) == int(age) + 7


def test_without_windows_nothing_stale_is_good() -> None:
    assert use_of(Stored(200, [], b"", lifetime=60), 5, is_stale=True) is Use.NONE


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


# MARK: Rules


def test_the_first_rule_that_fits_a_path_holds() -> None:
    rules = PathRules("1s", {"/api/secret*": None, "/api/*": "5s", "/?": Rule("7s")})
    found = [rules.of(path) for path in ("/api/secrets/1", "/api/x/y", "/x", "/", "/xapi/")]
    assert [rule and rule.ttl for rule in found] == [None, 5, 7, 1, 1]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Rule(0), "0 is no time"),
        (lambda: Rule(60, public=True, user_key=lambda request: 1), "not both"),
        (lambda: Rule(60, statuses=[200, 206]), r"\[206\] are never kept"),
        (lambda: Rule(60, vary=["*"]), "is no name of a header"),
        (lambda: Rule(60, vary="accept"), "expected a list"),
        (lambda: Rule(60, tags="tag"), "expected a list"),
        (lambda: Rule(60, tags=["t"] * 16), "at most 14"),
        (lambda: PathRules(None, {"api/": "5s"}), "begins with a slash"),
        (lambda: PathRules(None, {"/": Rule(5, tags=["{n}"])}), "have no fields"),
    ],
)
def test_a_rule_that_is_none_says_why(made: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        made()
