"""Warming: what is asked for, how many at once, by whom, and what is told of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from callers import closing

from pannier import Cache, _warming, cached, configure, counters, disabled, warm, warm_runs, warmer, warmers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from daemon import Daemon


@pytest.fixture(autouse=True)
def no_warmers() -> Iterator[None]:
    _warming._warmers.clear()
    yield
    _warming._warmers.clear()


def run(asked: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(closing(asked()))


@cached("squares", key="{number}")
async def square(number: int) -> int:
    return number**2


def test_it_asks_for_what_the_warmer_yields(sidecar: Daemon, store: Cache) -> None:
    @warmer("squares", square)
    async def small() -> AsyncIterator[tuple[int]]:
        for number in range(20):
            yield (number,)

    assert warmers() == ["squares"]
    assert small.__name__ == "small"
    [first] = run(lambda: warm("squares"))
    assert (first.state, first.asked, first.failed) == ("done", 20, 0)
    before = counters()["squares"]["loads"]
    [again] = run(warm)
    assert (again.state, again.asked, counters()["squares"]["loads"]) == ("done", 20, before)
    assert store.get("squares", "19") == 361
    [told] = run(warm_runs)
    assert told == again.as_dict()


def test_plain_generators_and_functions_of_any_kind(store: Cache) -> None:
    @cached("cubes", key="{number}")
    def cube(number: int) -> int:
        return number**3

    @warmer("both")
    def both() -> Iterator[tuple[Any, ...]]:
        yield cube, 2
        yield square, 3

    [told] = run(lambda: warm("both"))
    assert (told.state, told.asked) == ("done", 2)
    assert store.get("squares", "3") == 9
    assert store.get("cubes", "2") == 8


def test_so_many_at_once_and_no_more(sidecar: Daemon) -> None:
    now, most = 0, 0

    async def slow(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            full.set()
        await full.wait()
        now -= 1

    full = asyncio.Event()

    @warmer("slow", slow)
    def many() -> Iterator[int]:
        yield from range(50)

    [told] = run(lambda: warm("slow", concurrency=3))
    assert (told.asked, most) == (50, 3)


def test_a_call_that_raises_stops_no_other(sidecar: Daemon) -> None:
    async def picky(number: int) -> None:
        if number % 2:
            raise ValueError(f"{number} is odd")

    @warmer("picky", picky)
    def numbers() -> Iterator[int]:
        yield from range(10)

    [told] = run(warm)
    assert (told.state, told.asked, told.failed, told.error) == ("done", 10, 5, "ValueError: 1 is odd")


def test_a_warmer_that_raises_is_told(sidecar: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    @warmer("broken", square)
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("no database")

    @warmer("wrong")
    def wrong() -> Iterator[int]:
        yield 1

    first, second = run(warm)
    assert (first.state, first.asked, first.error) == ("failed", 1, "OSError: no database")
    assert second.failed == 1
    assert second.error == "TypeError: the warmer 'wrong' yields 1: expected (function, *arguments)"
    assert "no database" in caplog.text


def test_one_worker_of_a_host_warms(store: Cache) -> None:
    begun = asyncio.Event()

    async def slow(number: int) -> None:
        begun.set()
        await go.wait()

    @warmer("slow", slow)
    def one() -> Iterator[int]:
        yield 1

    async def both() -> None:
        first = asyncio.ensure_future(warm())
        await begun.wait()
        assert [told.state for told in await warm()] == ["elsewhere"]
        go.set()
        assert [told.state for told in await first] == ["done"]
        assert [told.state for told in await warm()] == ["done"]

    go = asyncio.Event()
    run(both)


def test_a_worker_that_ends_leaves_it_to_the_next(store: Cache) -> None:
    async def hang(number: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    @warmer("slow", hang)
    def one() -> Iterator[int]:
        yield 1

    async def cancelled() -> None:
        first = asyncio.ensure_future(warm())
        await begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await warm_runs())[0]["state"] == "cancelled"

    begun = asyncio.Event()
    run(cancelled)
    assert store.stats(_warming.NAMESPACE)["namespaces"][_warming.NAMESPACE]["leases"]["held"] == 0


def test_without_a_cache_nothing_is_asked(sidecar: Daemon, tmp_path: Path) -> None:
    asked: list[int] = []

    @warmer("ns", asked.append)
    def one() -> Iterator[int]:
        yield 1

    with disabled():
        assert [told.state for told in run(warm)] == ["disabled"]
    configure(socket=tmp_path / "nobody.sock")
    assert [told.state for told in run(warm)] == ["unavailable"]
    assert run(warm_runs) == []
    assert asked == []


def test_slips_are_named(sidecar: Daemon) -> None:
    with pytest.raises(TypeError, match="is no generator: a warmer yields arguments"):
        warmer("ns")(lambda: [1])
    with pytest.raises(KeyError, match="there is no warmer quizes; there is none"):
        run(lambda: warm("quizes"))
    with pytest.raises(ValueError, match="concurrency is 0: expected 1 or more"):
        run(lambda: warm(concurrency=0))
