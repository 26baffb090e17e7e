"""What a decorated function does: one load a key, what a failure comes to, what is not kept. Sync and async alike."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pannier import MISS, RefusedError, UnavailableError, cache, cached, configure, disabled
from pannier import counters as process_counters
from talk import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from daemon import Daemon
    from pannier import Cache


class BrokenSourceError(Exception):
    pass


def counters(store: Cache, ns: str = "ns") -> dict[str, Any]:
    found: dict[str, Any] = store.stats(ns)["namespaces"][ns]
    return found


def pass_time(sidecar: Daemon, seconds: float) -> None:
    with sidecar.connect() as peer:
        peer.ask(request("advance", seconds=seconds))


@pytest.fixture(params=["sync", "async"])
def made(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Decorates a plain function as `def` or as `async def`; what comes back is called plainly either way."""

    def make(function: Callable[..., Any], **options: Any) -> Any:
        if request.param == "sync":
            return cached("ns", **options)(function)

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return Plain(cached("ns", **options)(coroutine))

    return make


class Plain:
    """An async function's calls, each on a loop of its own."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._function(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self._run(getattr(self._function, name)(*args, **kwargs))

    def _run(self, asked: Any) -> Any:
        async def run() -> Any:
            try:
                return await asked
            finally:
                await cache.aclose()

        return asyncio.run(run())


def test_methods_of_a_cached_function(store: Cache, made: Any) -> None:
    calls: list[int] = []

    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    function = made(double, key="{number}", ttl="10m")
    assert function.get(3) is MISS
    assert [function(3), function(3), function.get(3)] == [6, 6, 6]
    assert calls == [3]
    assert function.set(7, 3) is True
    assert function(3) == 7
    assert function.refresh(3) == 6
    assert function.invalidate(3) is True
    assert function.invalidate(3) is False
    assert function(3) == 6
    assert calls == [3, 3, 3]


def test_a_function_stays_what_it_was() -> None:
    @cached("ns")
    def plain(number: int, more: str = "x") -> int:
        """Its own words."""
        return number

    @cached("ns")
    async def awaited() -> int:
        return 1

    assert (plain.__name__, plain.__doc__) == ("plain", "Its own words.")
    assert inspect.signature(plain) == inspect.signature(plain.original)
    assert not inspect.iscoroutinefunction(plain)
    assert inspect.iscoroutinefunction(awaited)


def test_a_stored_none_is_a_hit(store: Cache, made: Any) -> None:
    calls: list[str] = []

    def nobody(name: str) -> None:
        calls.append(name)

    function = made(nobody, key="{name}")
    assert [function("a"), function("a")] == [None, None]
    assert calls == ["a"]


def test_ttl_of_the_result_and_the_condition(sidecar: Daemon, store: Cache, made: Any) -> None:
    calls: list[int] = []

    def number(n: int) -> int:
        calls.append(n)
        return n

    function = made(number, key="{n}", ttl=lambda result: result, condition=lambda result: result != 5)
    for n in (5, 5, 7, 7):
        function(n)
    assert calls == [5, 5, 7]
    entry = store.get_entry("ns", "7")
    assert entry is not None
    assert entry.ttl == 7
    # What isn't kept makes no queue: its lease is passed on.
    assert counters(store)["leases"]["passed"] >= 1


def test_an_error_goes_up_and_is_not_kept(sidecar: Daemon, store: Cache, made: Any) -> None:
    calls = 0

    def broken() -> int:
        nonlocal calls
        calls += 1
        raise BrokenSourceError(str(calls))

    function = made(broken, key="k")
    for n in (1, 2, 3):
        with pytest.raises(BrokenSourceError, match=str(n)):
            function()
    # The first had a lease and failed; in the pause that follows each runs the function itself.
    assert counters(store)["leases"]["granted"] == 1
    assert counters(store)["leases"]["failed"] == 1


def test_a_stale_value_stands_in_for_a_failure(
    sidecar: Daemon, store: Cache, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    results: list[Any] = ["first", BrokenSourceError("down"), BrokenSourceError("down"), "second"]

    def source() -> str:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return str(result)

    function = made(source, key="k", ttl=10, stale="1h")
    assert function() == "first"
    pass_time(sidecar, 11)
    with caplog.at_level(logging.WARNING, "pannier"):
        # The second call falls into the pause, and the third into none.
        assert [function(), function()] == ["first", "first"]
        pass_time(sidecar, 6)
        assert function() == "first"
    assert len([record for record in caplog.records if "stale" in record.message]) == 1
    pass_time(sidecar, 6)
    assert function() == "second"
    pass_time(sidecar, 3 * 3600)


def test_what_the_sidecar_refuses_is_said_once(store: Cache, made: Any, caplog: pytest.LogCaptureFixture) -> None:
    def number(key: str) -> int:
        return 1

    function = made(number, key=":".join(["{key}"] * 10))
    with caplog.at_level(logging.WARNING, "pannier"):
        # Too long as keys, of two lengths.
        assert [function("a" * 190), function("b" * 191)] == [1, 1]
    assert [record.message.split(": ")[:2] for record in caplog.records] == [
        [f"{__name__}.{number.__qualname__}", "the sidecar refuses as key_too_long"]
    ]


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
        await _until(lambda: told("leases", "held") == 1)
        second = asyncio.ensure_future(slow(2))
        await _until(lambda: told("waits", "now") == 1)
        third = asyncio.ensure_future(slow(3))
        await _until(lambda: told("waits", "now") == 2)
        second.cancel()
        await asyncio.sleep(0)
        first.cancel()
        # The second's turn comes first, since it waited longest.
        assert await third == 3
        assert counters(store)["leases"]["handed_over"] == 2
        await cache.aclose()

    asyncio.run(run())


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


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


def test_errors_of_the_cache_go_up_where_told_so(store: Cache, made: Any, tmp_path: Path) -> None:
    function = made(lambda: 1, key="k", on_error="raise", returns=int)
    assert function() == 1
    long = made(lambda key: 1, key=":".join(["{key}"] * 10), on_error="raise", returns=int)
    with pytest.raises(RefusedError, match="key"):
        long("a" * 190)
    configure(socket=tmp_path / "nobody.sock")
    with pytest.raises(UnavailableError):
        function()
    with pytest.raises(ValueError, match='expected "call" or "raise"'):
        cached("ns", on_error="stale")  # type: ignore[arg-type]


def test_calls_are_counted(sidecar: Daemon, store: Cache, made: Any, tmp_path: Path) -> None:
    results: list[Any] = [{"tokens": 7}, BrokenSourceError("down"), BrokenSourceError("down")]

    def source() -> dict[str, int]:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        found: dict[str, int] = result
        return found

    def since() -> dict[str, int]:
        return {name: count - before.get(name, 0) for name, count in process_counters()["ns"].items()}

    function = made(source, key="k", ttl=10, stale="1h", tokens=lambda result: result["tokens"], returns=dict)
    before = dict(process_counters()["ns"])
    for _ in range(3):
        function()
    pass_time(sidecar, 11)
    function()
    configure(socket=tmp_path / "nobody.sock")
    with pytest.raises(BrokenSourceError):
        function()
    assert since() == {
        "hits": 2,
        "loads": 3,
        "failures": 2,
        "stale": 1,
        "unanswered": 1,
        "tokens_avoided": 14,
    }


def test_switched_off_functions_are_simply_called(store: Cache, made: Any) -> None:
    calls: list[int] = []

    def number() -> int:
        calls.append(1)
        return len(calls)

    function = made(number, key="k")
    assert [function(), function()] == [1, 1]
    with disabled():
        assert [function(), function()] == [2, 3]
        # What is invalidated meanwhile is not shown when it is switched on again.
        function.invalidate()
    configure(enabled=False)
    assert function() == 4
    configure(enabled=True)
    assert function() == 5
