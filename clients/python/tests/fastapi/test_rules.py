"""What a route or a path says of its answers, and the rule that a path comes under."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from pannier.fastapi import Rule, http_cache, http_invalidate
from pannier.fastapi._rule import PathRules


def test_the_decorator_takes_what_a_rule_takes() -> None:
    taken, rules = [list(inspect.signature(each).parameters.values()) for each in (http_cache, Rule)]
    assert taken == rules


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
        (lambda: http_invalidate(tags="tag"), "expected a list"),
        (lambda: Rule(60, tags=["t"] * 16), "at most 14"),
        (lambda: PathRules(None, {"api/": "5s"}), "begins with a slash"),
        (lambda: PathRules(None, {"/": Rule(5, tags=["{n}"])}), "have no fields"),
    ],
)
def test_a_rule_that_is_none_says_why(made: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        made()
