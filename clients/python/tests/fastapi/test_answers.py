"""May an answer be kept, for how long, and what is it good for at its age."""

from __future__ import annotations

import pytest

from fields import LATER_TEXT, NOW, NOW_TEXT, fields
from pannier.fastapi import Rule
from pannier.fastapi._cache_control import LONGEST_SECONDS
from pannier.fastapi._freshness import Use, age_of, use_of
from pannier.fastapi._stored import Stored
from pannier.fastapi._storing import Keeping, judged, kept_headers, with_cache_control, with_vary


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
