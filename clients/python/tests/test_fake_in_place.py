"""Whom the fake stands before, and that all is as it was afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pannier import MISS, AsyncCache, Cache, UnavailableError, cache, configure, disabled
from pannier._settings import settings
from pannier.testing import FakeCache


def test_all_is_as_it_was_afterwards() -> None:
    links = (cache.link, cache.sync.link)
    configure(enabled=False)
    with FakeCache() as outer:
        assert settings.enabled
        cache.sync.set("ns", "k", "outer")
        with FakeCache() as inner:
            assert cache.sync.get("ns", "k") is MISS
            assert (len(outer.requests), len(inner.requests)) == (1, 1)
        assert cache.sync.get("ns", "k") == "outer"
        with disabled():
            assert cache.sync.get("ns", "k") is MISS
            assert cache.sync.delete("ns", "k") == 1
    assert (cache.link, cache.sync.link) == links
    assert not settings.enabled


def test_an_applications_own_clients_can_be_named() -> None:
    awaited, blocking = AsyncCache("/none"), Cache("/none", raises=True)
    with FakeCache(clients=[awaited, blocking]):
        assert asyncio.run(awaited.set("ns", "k", 1)) is True
        assert (blocking.get("ns", "k"), awaited.sync.get("ns", "k"), cache.sync.get("ns", "k")) == (1, 1, 1)
    with pytest.raises(UnavailableError):
        blocking.get("ns", "k")


def test_nothing_is_left_of_one_that_could_not_be_entered() -> None:
    links = (cache.link, cache.sync.link)
    configure(enabled=False)
    no_client: Any = cache.namespace("ns", int)
    with pytest.raises(AttributeError), FakeCache(clients=[no_client]):
        pass
    assert (cache.link, cache.sync.link) == links
    assert not settings.enabled


def test_who_goes_another_way_finds_no_sidecar(pannier_fake: FakeCache) -> None:
    with Cache(raises=True) as other, pytest.raises(UnavailableError, match="Not a directory"):
        other.get("ns", "k")
    with pytest.raises(UnavailableError):
        next(cache.sync.watch())
