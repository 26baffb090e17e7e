"""What the sidecar has is what was kept, or nothing: whatever anybody wrote there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from callers import pass_time
from hypothesis import given
from hypothesis import strategies as some

from pannier import cache
from pannier.fastapi._stored import Stored, decoded, encoded
from web import NAME, Site, is_hit, is_stored, status_of

if TYPE_CHECKING:
    from daemon import Daemon
    from pannier import Cache

SOUND: dict[str, Any] = {
    "format": 1,
    "status": 200,
    "headers": [["content-type", "text/plain"]],
    "vary": [],
    "variant": "",
    "lifetime": 60,
    "swr": 0,
    "sie": 0,
    "age": 0,
    "text": "forged",
}


@given(some.binary())
def test_a_body_comes_back_byte_for_byte(body: bytes) -> None:
    found = decoded(encoded(Stored(200, [(b"x", b"\xe4")], body, lifetime=1.5, vary=["a"], variant="v")))
    assert found is not None
    assert (found.body, found.headers, found.lifetime, found.vary, found.variant) == (
        body,
        [(b"x", b"\xe4")],
        1.5,
        ["a"],
        "v",
    )


def test_text_can_be_read_where_it_is_kept() -> None:
    assert json.loads(encoded(Stored(200, [], "Grüße".encode())))["text"] == "Grüße"
    assert json.loads(encoded(Stored(200, [], b"\xff")))["base64"] == "/w=="


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(some.binary())
def test_bytes_of_any_kind_are_a_miss_at_worst(raw: bytes) -> None:
    assert decoded(raw) is None


@given(some.sampled_from(sorted(SOUND)), JSON)
def test_a_field_of_any_kind_is_a_miss_at_worst(name: str, value: Any) -> None:
    found = decoded(json.dumps({**SOUND, name: value}).encode())
    assert found is None or all(b"\n" not in part for field in found.headers for part in field)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"status": 99},
        {"status": True},
        {"status": "200"},
        {"headers": [["x", "a\r\nset-cookie: b=c"]]},
        {"headers": [["x\r\n", "a"]]},
        {"headers": [["x", "ŝ"]]},
        {"headers": [["Set-Cookie", "a=b"]]},
        {"headers": [["content-length", "999"]]},
        {"headers": [["x"]]},
        {"headers": None},
        {"text": None},
        {"text": "\ud800"},
        {"vary": "accept"},
        {"vary": [1]},
        {"lifetime": -1},
        {"lifetime": float("nan")},
        {"lifetime": float("inf")},
        {"age": 10**400},
    ],
)
def test_what_is_not_sound_is_nothing(change: dict[str, Any]) -> None:
    assert decoded(json.dumps(SOUND).encode()) is not None
    assert decoded(json.dumps({**SOUND, **change}).encode()) is None


@pytest.mark.parametrize("value", ["garbled", None, 7, [], {**SOUND, "headers": [["x", "a\nb"]]}, {"format": 1}])
def test_a_garbled_entry_is_replaced(sidecar: Daemon, store: Cache, value: Any) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/page")
        async def page() -> str:
            return "right"

        assert store.set("http", f"{NAME}/page", value)
        pass_time(sidecar, 1)
        response = site.get("/page")
        assert (response.json(), status_of(response)) == ("right", "fwd=uri-miss; ttl=60; stored; detail=unreadable")
        assert is_hit(site.get("/page"))


def test_an_entry_of_another_variant_is_no_hit(store: Cache) -> None:
    with Site({"default": "60s"}) as site:

        @site.app.get("/page")
        async def page() -> str:
            return "right"

        store.set("http", f"{NAME}/page", {**SOUND, "vary": ["accept"], "variant": "other"})
        response = site.get("/page", accept="x")
        assert (response.json(), is_stored(response)) == ("right", True)
        assert status_of(response).startswith("fwd=vary-miss")


def test_what_the_sidecar_refuses_is_said_and_sent(sidecar: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    cache.sync.policy("http", max_value_bytes=1000)
    with Site({"default": "60s"}) as site:

        @site.app.get("/large")
        async def large() -> str:
            return "x" * 2000

        for _ in range(2):
            response = site.get("/large")
            assert len(response.json()) == 2000
        (record,) = caplog.records
        assert "the sidecar refuses as value_too_large" in record.message
        # Nobody is kept waiting for what was refused.
        assert status_of(response) == "fwd=uri-miss; detail=pass"
