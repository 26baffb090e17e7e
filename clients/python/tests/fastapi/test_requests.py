"""What a request allows a cache to do."""

from __future__ import annotations

import pytest

from fields import fields
from pannier.fastapi import Rule
from pannier.fastapi._request import Wish, refusal


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
