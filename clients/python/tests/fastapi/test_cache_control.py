"""Cache-Control as text, and what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pannier.fastapi._cache_control import LONGEST_SECONDS, CacheControl


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
