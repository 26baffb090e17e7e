"""The fake while it is down, as a sidecar that is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pannier import MISS, UnavailableError, cache, cached
from pannier import _calls as calls

if TYPE_CHECKING:
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
