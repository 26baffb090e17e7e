"""What a decorated function does: one load a key, what a failure comes to, what is not kept. Sync and async alike."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import pytest
from callers import BrokenSourceError, counters, pass_time

from pannier import (
    MISS,
    Cache,
    RefusedError,
    UnavailableError,
    cache_invalidate,
    cache_put,
    cached,
    configure,
    disabled,
)
from pannier import counters as process_counters

if TYPE_CHECKING:
    from pathlib import Path

    from daemon import Daemon


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


@pytest.mark.parametrize("decorator", [cached("n", tags="quiz"), cache_put("n", "k", tags="quiz")])
def test_one_text_for_the_tags_is_refused(decorator: Any) -> None:
    """It would be a tag for each of its letters."""
    with pytest.raises(TypeError, match="tags is 'quiz': expected a list"):
        decorator(_one)
    with pytest.raises(TypeError, match="expected a list"):
        cache_invalidate("n", tags="quiz")(_one)
    with pytest.raises(TypeError, match="expected a list"):
        Cache().set("n", "k", 1, tags="quiz")
    with pytest.raises(TypeError, match="expected a list"):
        Cache().clear("n", tags="quiz")


def _one() -> int:
    return 1
