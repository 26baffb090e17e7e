"""What is asked of the fake and seen of it, the odd and the large with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pannier import RefusedError, cache
from pannier import _calls as calls

if TYPE_CHECKING:
    from pannier.testing import FakeCache


def test_requests_are_seen(pannier_fake: FakeCache) -> None:
    cache.sync.set("ns", "k", {"a": [1, None]}, "10m", tags=["t"])
    with pannier_fake.record() as seen:
        assert asyncio.run(cache.get("ns", "k")) == {"a": [1, None]}
    assert seen == [{"op": "get", "ns": "ns", "key": "k"}]
    assert pannier_fake.requests == [
        {"op": "set", "ns": "ns", "key": "k", "ttl": 600, "tags": ["t"], "value": {"a": [1, None]}},
        *seen,
    ]
    assert pannier_fake.stats("unused")["hits"] == 0


def test_a_key_named_twice_is_deleted_once(pannier_fake: FakeCache) -> None:
    for soft in (False, True):
        cache.sync.policy("ns", stale=10)
        cache.sync.set("ns", "k", 1)
        assert cache.sync.delete("ns", "k", "k", soft=soft) == 1


def test_large_values_and_odd_keys(pannier_fake: FakeCache) -> None:
    large = {"text": "\u00fc\n" * 200_000}
    assert cache.sync.set("ns", 'a "key"\n\\:\U0001f600', large) is True
    assert cache.sync.get("ns", 'a "key"\n\\:\U0001f600') == large
    assert cache.sync.keys("ns") == ['a "key"\n\\:\U0001f600']
    assert cache.sync.set("ns", "too large", "x" * (1 << 20)) is False
    assert cache.sync.set("ns", "k" * 1025, 1) is False
    assert pannier_fake.stats("ns")["sets"] == 1


@pytest.mark.parametrize("after", ["", "-", "+1", "0x1", "1_0", " 1", "g", "\u0663", "0" * 17])
def test_only_what_was_given_as_next_begins_a_page(pannier_fake: FakeCache, after: str) -> None:
    cache.sync.set("ns", "k", 1)
    assert cache.sync.keys("ns", after="0") == ["k"]
    with pytest.raises(RefusedError, match='must be what an answer gave as "next"'):
        cache.sync.ask(calls.keys("ns", None, 10, after))
