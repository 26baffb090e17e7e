"""The fake while it is down, as a sidecar that is gone."""

from __future__ import annotations

import asyncio

import pytest

from pannier import MISS, AsyncCache, UnavailableError, cache, cached
from pannier import _calls as calls
from pannier._settings import settings
from pannier._unsent import unsent_for
from pannier.testing import FakeCache


def test_without_a_sidecar_functions_are_called(pannier_fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", key="k")
    def number() -> int:
        runs.append(1)
        return 1

    number()
    with pannier_fake.down():
        assert [number(), number()] == [1, 1]
        assert cache.sync.get("ns", "k") is MISS
        with pytest.raises(UnavailableError, match="down"):
            cache.sync.ask(calls.ping())
    number()
    assert len(runs) == 3


def test_what_was_changed_meanwhile_is_told_before_anything_else(pannier_fake: FakeCache) -> None:
    for key in "abc":
        cache.sync.set("ns", key, 1, tags=["t"] if key == "c" else [])
    with pannier_fake.down():
        assert cache.sync.delete("ns", "a") == 0
        assert cache.sync.set("ns", "b", 2) is False
        assert asyncio.run(cache.clear("ns", tags=["t"])) == 0
        assert cache.sync.get("ns", "a") is MISS
    with pannier_fake.record() as seen:
        assert cache.sync.get_many("ns", ["a", "b", "c"]) == {}
    assert sorted(request["op"] for request in seen[:-1]) == ["clear", "delete", "delete"]
    cache.sync.set("ns", "a", 3)
    assert asyncio.run(cache.get("ns", "a")) == 3


def test_no_other_sidecar_is_told_of_them() -> None:
    own = AsyncCache("/none")
    with FakeCache(clients=[own]) as fake, fake.down():
        own.sync.delete("ns", "a")
        asyncio.run(own.delete("ns", "b"))
        cache.sync.delete("ns", "c")
        assert [unsent_for(path).lines for path in ("/none", settings.path())] == [{}, {}]


def test_it_is_down_until_the_outermost_is_over(pannier_fake: FakeCache) -> None:
    with pannier_fake.down():
        with pannier_fake.down():
            assert cache.sync.ping() is False
        assert cache.sync.ping() is False
    assert cache.sync.ping() is True


def test_a_load_can_be_cancelled_while_it_is_down(pannier_fake: FakeCache) -> None:
    async def run() -> None:
        entered = asyncio.Event()

        @cached("ns", key="k")
        async def slow() -> None:
            entered.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(slow())
        await entered.wait()
        with pannier_fake.down():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
