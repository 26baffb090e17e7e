"""What is asked of the fake and seen of it, the odd and the large with it."""

from __future__ import annotations

import asyncio

import pytest
from callers import waiting

from pannier import MISS, RefusedError, cache
from pannier import _calls as calls
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


def test_a_line_that_is_too_long_ends_its_connection_and_no_other() -> None:
    """Before all that was asked on it is answered, and behind what waits there."""
    with FakeCache(limits={"line_bytes": 1024}) as fake:
        with pytest.raises(RefusedError, match="line_too_long"):
            cache.sync.ask(calls.set_value("ns", "k", b'"%1024d"' % 1))
        assert cache.sync.set("ns", "k", 1) is True
        lease = cache.sync.ask(calls.get("ns", "a", lease=True)).lease
        assert lease is not None

        async def run() -> None:
            waiter = asyncio.ensure_future(cache.ask(calls.get("ns", "a", wait=60)))
            while not waiting(fake):
                await asyncio.sleep(0)
            long = asyncio.ensure_future(cache.set("ns", "long", "x" * 1024))
            behind = asyncio.ensure_future(cache.get("ns", "k"))
            await asyncio.sleep(0)
            cache.sync.ask(calls.set_value("ns", "a", b"2", lease=lease))
            assert (await waiter).value == b"2"
            assert await long is False
            assert await behind is MISS
            assert await cache.get("ns", "k") == 1

        asyncio.run(asyncio.wait_for(run(), 10))


@pytest.mark.parametrize("after", ["", "-", "+1", "0x1", "1_0", " 1", "g", "\u0663", "0" * 17])
def test_only_what_was_given_as_next_begins_a_page(pannier_fake: FakeCache, after: str) -> None:
    cache.sync.set("ns", "k", 1)
    assert cache.sync.keys("ns", after="0") == ["k"]
    with pytest.raises(RefusedError, match='must be what an answer gave as "next"'):
        cache.sync.ask(calls.keys("ns", None, 10, after))
