"""An application's tests with the fake below its client: sync and async, threads and loops, time that is moved."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pannier import (
    MISS,
    AsyncCache,
    Cache,
    UnavailableError,
    cache,
    cache_invalidate,
    cache_put,
    cached,
    configure,
    disabled,
)
from pannier import _calls as calls
from pannier._settings import settings
from pannier.testing import FakeCache

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakeCache]:
    with FakeCache() as fake:
        yield fake


def waiting(fake: FakeCache, ns: str = "ns") -> int:
    count: int = fake.stats(ns)["waits"]["now"]
    return count


def test_a_function_runs_once_until_its_time_is_up(fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", ttl="10m", key="{number}")
    def squared(number: int) -> int:
        runs.append(number)
        return number * number

    assert [squared(3), squared(3), squared(4)] == [9, 9, 16]
    assert runs == [3, 4]
    fake.advance("9m59s")
    assert squared(3) == 9
    fake.advance(1)
    assert squared(3) == 9
    assert runs == [3, 4, 3]
    assert fake.now == 600
    stats = fake.stats("ns")
    assert (stats["hits"], stats["misses_by"]["expired"], stats["loads"]["count"]) == (2, 1, 3)


def test_so_does_a_coroutine_function(fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", ttl="10m", key="{number}")
    async def squared(number: int) -> int:
        runs.append(number)
        await asyncio.sleep(0)
        return number * number

    async def crowd() -> list[int]:
        return await asyncio.gather(*(squared(3) for _ in range(20)))

    assert asyncio.run(crowd()) == [9] * 20
    # Another loop, and a thread, see what the first has stored.
    assert asyncio.run(crowd()) == [9] * 20
    assert cache.sync.get("ns", "3") == 9
    assert runs == [3]


def test_threads_wait_for_the_one_that_loads(fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", key="k")
    def slow() -> int:
        runs.append(1)
        while waiting(fake) < 7:
            pass
        return 42

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(slow())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results, runs) == ([42] * 8, [1])


def test_changes_end_what_is_kept(fake: FakeCache) -> None:
    titles = {1: "Algebra"}

    @cached("quizzes", key="{quiz_id}", tags=["course:{course}"])
    def quiz(quiz_id: int, course: int) -> str:
        return titles[quiz_id]

    @cache_put("quizzes", "{quiz_id}")
    def rename(quiz_id: int, title: str) -> str:
        titles[quiz_id] = title
        return title

    @cache_invalidate("quizzes", tags=["course:{course}"])
    def end_course(course: int) -> None: ...

    assert quiz(1, 7) == "Algebra"
    titles[1] = "Geometry"
    assert quiz(1, 7) == "Algebra"
    end_course(7)
    assert quiz(1, 7) == "Geometry"
    rename(1, "Topology")
    assert quiz(1, 7) == "Topology"
    assert fake.stats("quizzes")["cleared"] == 1


def test_a_failing_function_shows_a_stale_value(fake: FakeCache, caplog: pytest.LogCaptureFixture) -> None:
    fails = False

    @cached("ns", ttl="1m", key="k", stale="1h")
    def number() -> int:
        if fails:
            raise OSError("no source")
        return 1

    assert number() == 1
    fails = True
    fake.advance("2m")
    with caplog.at_level(logging.WARNING, "pannier"):
        assert number() == 1
    assert "no source" in caplog.text
    fake.advance("2h")
    with pytest.raises(OSError, match="no source"):
        number()


def test_a_wait_ends_by_the_fakes_clock(fake: FakeCache) -> None:
    assert cache.sync.ask(calls.get("ns", "k", lease=True)).lease is not None
    found: list[bool] = []

    def wait() -> None:
        found.append("busy" in cache.sync.ask(calls.get("ns", "k", lease=True, wait=10)).fields)

    thread = threading.Thread(target=wait)
    thread.start()
    while not waiting(fake):
        pass
    fake.advance(9.999)
    assert waiting(fake) == 1
    fake.advance("1ms")
    thread.join()
    assert found == [True]


def test_an_awaited_wait_does_too(fake: FakeCache) -> None:
    async def run() -> None:
        first = await cache.ask(calls.get("ns", "k", lease=True))
        assert first.lease is not None
        late = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=10)))
        next_one = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=60)))
        while waiting(fake) < 2:
            await asyncio.sleep(0)
        fake.advance(10)
        assert (await late).fields == {"ok": True, "hit": False, "busy": True}
        assert not next_one.done()
        # The lease's time is up: its turn has come.
        fake.advance(20)
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


def test_a_lease_ends_with_its_thread_or_loop(fake: FakeCache) -> None:
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
    assert fake.stats("ns")["leases"]["held"] == 0


def test_a_cancelled_load_is_given_back_at_once(fake: FakeCache) -> None:
    async def run() -> None:
        entered = asyncio.Event()

        @cached("ns", key="k")
        async def slow() -> int:
            entered.set()
            await asyncio.Event().wait()
            return 1

        task = asyncio.ensure_future(slow())
        await entered.wait()
        assert fake.stats("ns")["leases"]["held"] == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fake.stats("ns")["leases"]["released"] == 1

    asyncio.run(run())


def test_a_lease_that_comes_to_one_who_is_gone_is_given_back(fake: FakeCache) -> None:
    async def run() -> None:
        first = await cache.ask(calls.get("ns", "k", lease=True))
        assert first.lease is not None
        waiter = asyncio.ensure_future(cache.ask(calls.get("ns", "k", lease=True, wait=60)))
        while not waiting(fake):
            await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        await cache.ask(calls.release("ns", "k", first.lease))
        while fake.stats("ns")["leases"]["held"]:
            await asyncio.sleep(0)
        assert fake.stats("ns")["leases"]["handed_over"] == 1

    asyncio.run(run())


def test_without_a_sidecar_functions_are_called(fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", key="k")
    def number() -> int:
        runs.append(1)
        return 1

    number()
    with fake.down():
        assert [number(), number()] == [1, 1]
        assert cache.sync.get("ns", "k") is MISS
        with pytest.raises(UnavailableError, match="down"):
            cache.sync.ask(calls.ping())
    number()
    assert len(runs) == 3


def test_a_load_can_be_cancelled_while_it_is_down(fake: FakeCache) -> None:
    async def run() -> None:
        entered = asyncio.Event()

        @cached("ns", key="k")
        async def slow() -> None:
            entered.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(slow())
        await entered.wait()
        with fake.down():
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_requests_are_seen(fake: FakeCache) -> None:
    cache.sync.set("ns", "k", {"a": [1, None]}, "10m", tags=["t"])
    with fake.record() as seen:
        assert asyncio.run(cache.get("ns", "k")) == {"a": [1, None]}
    assert seen == [{"op": "get", "ns": "ns", "key": "k"}]
    assert fake.requests == [
        {"op": "set", "ns": "ns", "key": "k", "ttl": 600, "tags": ["t"], "value": {"a": [1, None]}},
        *seen,
    ]
    assert fake.stats("nobody has used it"[:6])["hits"] == 0


def test_policies_are_the_configurations() -> None:
    namespaces: dict[str, Any] = {"users": {"ttl": "1m", "rules": [{"match": "admin:*", "ttl": 5}]}}
    with FakeCache(defaults={"ttl": "1h"}, namespaces=namespaces, unknown_namespaces="create") as fake:
        cache.sync.set("users", "u", 1)
        cache.sync.set("users", "admin:u", 1)
        cache.sync.set("others", "u", 1)
        entries = [cache.sync.get_entry(*place) for place in (("users", "u"), ("users", "admin:u"), ("others", "u"))]
        assert [entry.ttl for entry in entries if entry] == [60, 5, 3600]
        assert cache.sync.policy("users", ttl="2m")["ttl"] == 120
        assert fake.stats("users")["sets"] == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"defaults": {"tll": 1}}, 'defaults: unknown field "tll", did you mean "ttl"'),
        ({"namespaces": {"a b": {}}}, '"a b" is no name'),
        ({"namespaces": {"a": {"ttl": "soon"}}}, 'namespaces.a.ttl: "soon" is not a duration'),
        ({"unknown_namespaces": "maybe"}, "create | refuse"),
        ({"limits": {"items": 0}}, "limits.items is 0"),
        ({"limits": {"itmes": 1}}, "there is no limit 'itmes'"),
        ({"memory": "much"}, 'memory: "much" is not a size'),
    ],
)
def test_a_faulty_configuration_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("|", r"\|")):
        FakeCache(**wrong)


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


def test_who_goes_another_way_finds_no_sidecar(fake: FakeCache) -> None:
    with Cache(raises=True) as other, pytest.raises(UnavailableError, match="Not a directory"):
        other.get("ns", "k")
    with pytest.raises(UnavailableError):
        next(cache.sync.watch())


def test_it_says_how_far_its_clock_can_go(fake: FakeCache) -> None:
    fake.advance("5000d")
    with pytest.raises(ValueError, match="14 years"):
        fake.advance("200d")
    with pytest.raises(ValueError, match="is no time"):
        fake.advance(0)


def test_a_key_named_twice_is_deleted_once(fake: FakeCache) -> None:
    for soft in (False, True):
        cache.sync.policy("ns", stale=10)
        cache.sync.set("ns", "k", 1)
        assert cache.sync.delete("ns", "k", "k", soft=soft) == 1


def test_large_values_and_odd_keys(fake: FakeCache) -> None:
    large = {"text": "\u00fc\n" * 200_000}
    assert cache.sync.set("ns", 'a "key"\n\\:\U0001f600', large) is True
    assert cache.sync.get("ns", 'a "key"\n\\:\U0001f600') == large
    assert cache.sync.keys("ns") == ['a "key"\n\\:\U0001f600']
    assert cache.sync.set("ns", "too large", "x" * (1 << 20)) is False
    assert cache.sync.set("ns", "k" * 1025, 1) is False
    assert fake.stats("ns")["sets"] == 1
