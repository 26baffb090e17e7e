"""Leases of who is gone: each is given back, by the thread, the loop or the call that had it."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from callers import waiting

from pannier import _calls as calls
from pannier import cache, cached
from pannier.testing import FakeCache

if TYPE_CHECKING:
    from types import FrameType


def test_a_lease_ends_with_its_thread_or_loop(pannier_fake: FakeCache) -> None:
    def take() -> None:
        assert cache.sync.ask(calls.get("ns", "k", lease=True)).lease is not None

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    token = cache.sync.ask(calls.get("ns", "k", lease=True)).lease
    assert token is not None
    assert cache.sync.ask(calls.release("ns", "k", token)) is True

    async def take_in_loop() -> None:
        assert (await cache.ask(calls.get("ns", "k", lease=True))).lease is not None

    asyncio.run(take_in_loop())
    gc.collect()
    assert cache.sync.ask(calls.get("ns", "k", lease=True)).lease is not None
    cache.sync.close()
    assert pannier_fake.stats("ns")["leases"]["held"] == 0


@pytest.mark.parametrize("moment", range(1, 25))
def test_a_connection_may_be_collected_at_any_moment_of_anothers_wait(moment: int) -> None:
    """Which that ends: it has the lease."""
    with FakeCache(patience=0.01) as fake:
        holder = fake.open(lambda line: None)
        fake.ask(holder, calls.get("ns", "k", lease=True).line)

        def wait() -> None:
            passed = 0

            def collect(frame: FrameType, event: str, argument: object) -> None:
                nonlocal passed
                # The last that is done before it waits.
                passed += passed > 0 or frame.f_code.co_name == "patience_for"
                if passed == moment:
                    fake.forget(holder)

            sys.setprofile(collect)
            try:
                cache.sync.ask(calls.get("ns", "k", lease=True, wait=10))
            finally:
                sys.setprofile(None)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        thread.join(5)
        assert not thread.is_alive()


def test_a_cancelled_load_is_given_back_at_once(pannier_fake: FakeCache) -> None:
    async def run() -> None:
        entered = asyncio.Event()

        @cached("ns", key="k")
        async def slow() -> int:
            entered.set()
            await asyncio.Event().wait()
            return 1

        task = asyncio.ensure_future(slow())
        await entered.wait()
        assert pannier_fake.stats("ns")["leases"]["held"] == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pannier_fake.stats("ns")["leases"]["released"] == 1

    asyncio.run(run())


def test_a_lease_that_comes_to_one_who_is_gone_is_given_back(pannier_fake: FakeCache) -> None:
    async def run() -> None:
        first = await cache.ask(calls.get("ns", "k", lease=True))
        assert first.lease is not None
        waiter = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=60)))
        while not waiting(pannier_fake):
            await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        await cache.ask(calls.release("ns", "k", first.lease))
        while pannier_fake.stats("ns")["leases"]["held"]:
            await asyncio.sleep(0)
        assert pannier_fake.stats("ns")["leases"]["handed_over"] == 1

    asyncio.run(run())
