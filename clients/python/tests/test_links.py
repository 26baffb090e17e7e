"""Connections and what becomes of them: a sidecar that is gone, hangs, or comes back; forks, threads, loops."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pannier import MISS, AsyncCache, Cache, RefusedError, cache

if TYPE_CHECKING:
    from daemon import Daemon


def test_a_refusal_says_what_it_is(sidecar: Daemon, store: Cache) -> None:
    with pytest.raises(RefusedError, match="bad_request") as caught:
        store.get("no such name", "k")
    assert caught.value.code == "bad_request"
    # By default it is a miss.
    assert cache.sync.get("no such name", "k") is MISS


def test_a_forks_child_has_connections_of_its_own(store: Cache) -> None:
    store.set("ns", "parent", "p")
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                for _ in range(200):
                    assert store.set("ns", f"child{number}", number)
                    assert store.get("ns", f"child{number}") == number
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(child)
    for _ in range(200):
        assert store.get("ns", "parent") == "p"
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


def test_a_fork_within_a_loop(sidecar: Daemon) -> None:
    async def run() -> None:
        async with AsyncCache(raises=True) as store:
            await store.set("ns", "k", "parent")
            child = os.fork()
            if child == 0:
                try:
                    with Cache(raises=True) as own:
                        assert own.get("ns", "k") == "parent"
                except BaseException:
                    os._exit(1)
                os._exit(0)
            for _ in range(200):
                assert await store.get("ns", "k") == "parent"
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    asyncio.run(run())


def test_threads_do_not_share(store: Cache) -> None:
    def work(number: int) -> None:
        for turn in range(200):
            store.set("ns", f"t{number}", [number, turn])
            assert store.get("ns", f"t{number}") == [number, turn]
        store.close()
        done.append(number)

    done: list[int] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(8))


def test_two_loops_one_after_another_and_at_once(sidecar: Daemon) -> None:
    shared = AsyncCache(raises=True)

    async def work(number: int) -> None:
        for turn in range(100):
            await shared.set("ns", f"l{number}", [number, turn])
            assert await shared.get("ns", f"l{number}") == [number, turn]
        await shared.aclose()

    for number in range(3):
        asyncio.run(work(number))
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            asyncio.run(work(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_cancelled_calls_cost_nobody_an_answer(sidecar: Daemon) -> None:
    """A thousand calls are cancelled at random moments, among others that go on."""
    chance = random.Random(1)

    async def run() -> None:
        async with AsyncCache(raises=True) as store:
            for number in range(50):
                await store.set("ns", f"k{number}", number)

            async def read(number: int) -> None:
                assert await store.get("ns", f"k{number}") == number

            tasks: list[asyncio.Task[None]] = []
            for turn in range(2000):
                tasks.append(asyncio.ensure_future(read(turn % 50)))
                if turn % 2:
                    victim = tasks[chance.randrange(len(tasks))]
                    asyncio.get_running_loop().call_soon(victim.cancel)
                if chance.random() < 0.3:
                    await asyncio.sleep(0)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            wrong = [r for r in results if r is not None and not isinstance(r, asyncio.CancelledError)]
            assert wrong == []
            assert len([r for r in results if r is None]) > 500
            assert (await store.stats())["connections"] == 1

    asyncio.run(run())


def test_many_values_and_large_ones(store: Cache) -> None:
    large = "x" * 900_000
    assert store.set("ns", "large", large) is True
    assert store.get("ns", "large") == large
    assert store.set_many("ns", {f"k{n}": n for n in range(100)}, ttl="1h", tags=["t"]) == 100
    found = store.get_many("ns", [f"k{n}" for n in range(200)])
    assert found == {f"k{n}": n for n in range(100)}
    assert store.clear("ns", tags=["t"], dry_run=True) == 100
    assert store.clear("ns", tags=["t"]) == 100

    async def run() -> None:
        async with AsyncCache(raises=True) as other:
            assert await other.get("ns", "large") == large
            values = await asyncio.gather(*(other.set("ns", f"a{n}", [n]) for n in range(500)))
            assert all(values)

    asyncio.run(run())


def test_each_op(store: Cache) -> None:
    assert store.ping() is True
    assert store.add("ns", "k", 1, "1h") is True
    assert store.add("ns", "k", 2) is False
    assert store.touch("ns", "k", "2h") is True
    entry = store.get_entry("ns", "k")
    assert entry is not None
    assert (entry.value, entry.ttl, entry.tier, entry.stale) == (1, 7200, "memory", False)
    assert store.exists("ns", "k") is True
    assert store.explain("ns", "k")["state"] == "fresh"
    assert store.set("ns", "forever", 1, "forever") is True
    entry = store.get_entry("ns", "forever")
    assert entry is not None
    assert entry.ttl is None
    assert store.policy("ns", ttl=60)["ttl"] == 60
    numbers = store.namespace("ns", int)
    assert numbers.get("k") == 1
    assert numbers.get("none", 5) == 5
    store.set("ns", "text", "no number")
    assert numbers.get("text") is MISS
    assert numbers.delete("k") == 1


@pytest.mark.parametrize("ttl", [0, -1, "10x", "", "m", True, float("inf"), "1h30"])
def test_what_is_no_time_is_said_so(store: Cache, ttl: Any) -> None:
    with pytest.raises(ValueError, match="is no time: expected"):
        store.set("ns", "k", 1, ttl)
