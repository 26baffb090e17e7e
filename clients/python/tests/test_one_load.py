"""One load a key, however many threads, tasks and processes ask for it, and whoever dies or gives up."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from callers import counters, until

from pannier import cache, cached, configure

if TYPE_CHECKING:
    from daemon import Daemon
    from pannier import Cache


def test_one_thread_of_many_loads_a_cold_key(store: Cache) -> None:
    calls: list[int] = []
    begun, go = threading.Event(), threading.Event()

    @cached("ns", key="cold")
    def slow() -> str:
        calls.append(1)
        begun.set()
        assert go.wait(10)
        return "loaded"

    def call() -> str:
        try:
            return slow()
        finally:
            cache.sync.close()

    with ThreadPoolExecutor(25) as pool:
        futures = [pool.submit(call) for _ in range(25)]
        assert begun.wait(10)
        while counters(store)["waits"]["now"] < 24:
            pass
        go.set()
        assert [future.result() for future in futures] == ["loaded"] * 25
    assert len(calls) == 1


def test_one_task_of_many_loads_a_cold_key(store: Cache) -> None:
    calls: list[int] = []

    @cached("ns", key="cold")
    async def slow() -> str:
        calls.append(1)
        while counters(store)["waits"]["now"] < 99:
            await asyncio.sleep(0)
        return "loaded"

    async def run() -> list[str]:
        try:
            return await asyncio.gather(*(slow() for _ in range(100)))
        finally:
            await cache.aclose()

    assert asyncio.run(run()) == ["loaded"] * 100
    assert len(calls) == 1


def _load_in_a_process(socket: str, gate: Any, calls: Any) -> None:
    configure(socket=socket)

    @cached("ns", key="cold", returns=str)
    async def slow() -> str:
        with calls.get_lock():
            calls.value += 1
        await asyncio.sleep(0.3)
        return "loaded"

    async def run() -> list[str]:
        return await asyncio.gather(*(slow() for _ in range(25)))

    gate.wait()
    assert asyncio.run(run()) == ["loaded"] * 25


def test_one_of_four_processes_loads_a_cold_key(sidecar: Daemon) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate, calls = spawn.Barrier(4), spawn.Value("i", 0)
    processes = [spawn.Process(target=_load_in_a_process, args=(str(sidecar.socket), gate, calls)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert calls.value == 1


def _load_and_be_killed(socket: str, calls: Any, begun: Any) -> None:
    configure(socket=socket)

    @cached("ns", key="cold", returns=str)
    def slow() -> str:
        with calls.get_lock():
            calls.value += 1
            first = calls.value == 1
        if first:
            begun.set()
            threading.Event().wait()
        return "loaded"

    assert slow() == "loaded"


def test_who_loads_is_killed_and_the_next_does_at_once(sidecar: Daemon, store: Cache) -> None:
    spawn = multiprocessing.get_context("spawn")
    begun, calls = spawn.Event(), spawn.Value("i", 0)
    arguments = (str(sidecar.socket), calls, begun)
    processes = [spawn.Process(target=_load_and_be_killed, args=arguments) for _ in range(4)]
    processes[0].start()
    assert begun.wait(30)
    for process in processes[1:]:
        process.start()
    while counters(store)["waits"]["now"] < 3:
        pass
    processes[0].kill()
    for process in processes[1:]:
        # Far within the lease's time: the sidecar's own stands still.
        process.join(30)
        assert process.exitcode == 0
    processes[0].join(30)
    assert calls.value == 2
    assert counters(store)["leases"]["handed_over"] == 1


def test_a_cancelled_load_is_the_next_ones_at_once(store: Cache) -> None:
    calls: list[int] = []

    @cached("ns", key="k")
    async def slow() -> str:
        calls.append(1)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return "second"

    async def run() -> None:
        first = asyncio.ensure_future(slow())
        while not calls:
            await asyncio.sleep(0)
        second = asyncio.ensure_future(slow())
        while counters(store)["waits"]["now"] < 1:
            await asyncio.sleep(0)
        first.cancel()
        assert await second == "second"
        with pytest.raises(asyncio.CancelledError):
            await first
        await cache.aclose()

    asyncio.run(run())
    assert counters(store)["leases"]["failed"] == 0


def test_a_waiter_that_gave_up_hands_its_turn_on(store: Cache) -> None:
    """It is elected after it was cancelled, and nobody reads the answer that says so."""

    @cached("ns", key="k")
    async def slow(number: int) -> int:
        if number == 1:
            await asyncio.Event().wait()
        return number

    async def run() -> None:
        def told(of: str, what: str) -> int:
            found: int = store.stats()["namespaces"].get("ns", {}).get(of, {}).get(what, 0)
            return found

        first = asyncio.ensure_future(slow(1))
        await until(lambda: told("leases", "held") == 1)
        second = asyncio.ensure_future(slow(2))
        await until(lambda: told("waits", "now") == 1)
        third = asyncio.ensure_future(slow(3))
        await until(lambda: told("waits", "now") == 2)
        second.cancel()
        await asyncio.sleep(0)
        first.cancel()
        # The second's turn comes first, since it waited longest.
        assert await third == 3
        assert counters(store)["leases"]["handed_over"] == 2
        await cache.aclose()

    asyncio.run(run())


def test_what_is_too_large_keeps_nobody_waiting(store: Cache, made: Any) -> None:
    store.policy("ns", max_value_bytes=100)
    function = made(lambda: "x" * 200, key="k", returns=str)
    assert function() == "x" * 200
    assert (counters(store)["leases"]["passed"], counters(store)["leases"]["held"]) == (1, 0)


def test_a_tag_that_does_not_fit_the_result_leaves_no_lease(store: Cache, made: Any) -> None:
    function = made(lambda: None, key="k", tags=["course:{result.course_id}"], returns=type(None))
    with pytest.raises(AttributeError, match="course_id"):
        function()
    assert counters(store)["leases"]["held"] == 0
