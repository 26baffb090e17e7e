"""Waits for another's load: they end by the fake's clock, or where nothing ends them."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from callers import waiting

from pannier import _calls as calls
from pannier import cache, cached
from pannier.testing import FakeCache

if TYPE_CHECKING:
    import pytest


def test_a_wait_ends_by_the_fakes_clock(pannier_fake: FakeCache) -> None:
    assert cache.sync.ask(calls.get("ns", "k", lease=True)).lease is not None
    found: list[bool] = []

    def wait() -> None:
        found.append("busy" in cache.sync.ask(calls.get("ns", "k", lease=True, wait=10)).fields)

    thread = threading.Thread(target=wait)
    thread.start()
    while not waiting(pannier_fake):
        pass
    pannier_fake.advance(9.999)
    assert waiting(pannier_fake) == 1
    pannier_fake.advance("1ms")
    thread.join()
    assert found == [True]


def test_an_awaited_wait_does_too(pannier_fake: FakeCache) -> None:
    async def run() -> None:
        first = await cache.ask(calls.get("ns", "k", lease=True))
        assert first.lease is not None
        late = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=10)))
        next_one = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=60)))
        while waiting(pannier_fake) < 2:
            await asyncio.sleep(0)
        pannier_fake.advance(10)
        assert (await late).fields == {"ok": True, "hit": False, "busy": True}
        assert not next_one.done()
        # The lease's time is up: its turn has come.
        pannier_fake.advance(20)
        assert (await next_one).lease not in (None, first.lease)

    asyncio.run(run())


def test_a_wait_that_nothing_ends_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []
    with FakeCache(patience=0.01), caplog.at_level(logging.WARNING, "pannier"):

        @cached("ns", key="k")
        def nested() -> int:
            runs.append(1)
            return nested() + 1 if len(runs) < 2 else 1

        assert nested() == 2

        @cached("ns", key="a")
        async def awaited() -> int:
            runs.append(1)
            return await awaited() + 1 if len(runs) < 4 else 1

        assert asyncio.run(awaited()) == 2
    assert [record.message.split(":")[0] for record in caplog.records] == ["a wait that nothing ends is given up"] * 2
