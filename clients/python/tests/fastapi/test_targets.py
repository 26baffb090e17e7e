"""What a request is for: keys, the tags of what a change ends, and variants."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fields import fields
from pannier.fastapi._target import Target, path_tag, variant_of


def scope(path: str = "/a", query: str = "", **more: Any) -> dict[str, Any]:
    return {"path": path, "query_string": query.encode(), "headers": fields(host="site"), "scheme": "http", **more}


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
