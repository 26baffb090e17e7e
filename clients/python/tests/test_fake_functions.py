"""Functions with the fake below their client: sync and async, in threads and loops, until their time is up."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest
from callers import waiting

from pannier import cache, cache_invalidate, cache_put, cached

if TYPE_CHECKING:
    from pannier.testing import FakeCache


def test_a_function_runs_once_until_its_time_is_up(pannier_fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", ttl="10m", key="{number}")
    def squared(number: int) -> int:
        runs.append(number)
        return number * number

    assert [squared(3), squared(3), squared(4)] == [9, 9, 16]
    assert runs == [3, 4]
    pannier_fake.advance("9m59s")
    assert squared(3) == 9
    pannier_fake.advance(1)
    assert squared(3) == 9
    assert runs == [3, 4, 3]
    assert pannier_fake.now == 600
    stats = pannier_fake.stats("ns")
    assert (stats["hits"], stats["misses_by"]["expired"], stats["loads"]["count"]) == (2, 1, 3)


def test_so_does_a_coroutine_function(pannier_fake: FakeCache) -> None:
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


def test_threads_wait_for_the_one_that_loads(pannier_fake: FakeCache) -> None:
    runs: list[int] = []

    @cached("ns", key="k")
    def slow() -> int:
        runs.append(1)
        while waiting(pannier_fake) < 7:
            pass
        return 42

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(slow())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results, runs) == ([42] * 8, [1])


def test_changes_end_what_is_kept(pannier_fake: FakeCache) -> None:
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
    assert pannier_fake.stats("quizzes")["cleared"] == 1


def test_a_failing_function_shows_a_stale_value(pannier_fake: FakeCache, caplog: pytest.LogCaptureFixture) -> None:
    fails = False

    @cached("ns", ttl="1m", key="k", stale="1h")
    def number() -> int:
        if fails:
            raise OSError("no source")
        return 1

    assert number() == 1
    fails = True
    pannier_fake.advance("2m")
    with caplog.at_level(logging.WARNING, "pannier"):
        assert number() == 1
    assert "no source" in caplog.text
    pannier_fake.advance("2h")
    with pytest.raises(OSError, match="no source"):
        number()
