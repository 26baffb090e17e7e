"""Loading without a decorator, and many keys with one load of those that aren't there. Sync and async alike."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from callers import BrokenSourceError, closing, pass_time

from pannier import AsyncCache, Cache, cache, cached, cached_many, counters, disabled

if TYPE_CHECKING:
    from daemon import Daemon


class Plain:
    """An async cache's loads as if they were sync."""

    def __init__(self, store: AsyncCache) -> None:
        self._store = store

    def get_or_set(self, ns: str, key: str, load: Any, **keeping: Any) -> Any:
        async def load_one() -> Any:
            return load()

        return self._run(self._store.get_or_set(ns, key, load_one, **keeping))

    def get_or_set_many(self, ns: str, keys: list[str], load: Any, **keeping: Any) -> Any:
        async def load_these(missing: list[str]) -> Any:
            return load(missing)

        return self._run(self._store.get_or_set_many(ns, keys, load_these, **keeping))

    def _run(self, asked: Any) -> Any:
        return asyncio.run(closing(asked, self._store))


@pytest.fixture(params=["sync", "async"])
def loader(request: pytest.FixtureRequest, store: Cache) -> Any:
    return store if request.param == "sync" else Plain(AsyncCache(raises=True))


class Source:
    """Knows the names of digits, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, keys: list[str]) -> dict[str, str]:
        self.asked.append(keys)
        return {key: f"number {key}" for key in keys if key.isdigit()}


def test_it_is_loaded_once(loader: Any) -> None:
    calls: list[int] = []

    def load() -> dict[str, int]:
        calls.append(1)
        return {"n": len(calls)}

    assert [loader.get_or_set("ns", "k", load, ttl="10m", tags=["t"]) for _ in range(3)] == [{"n": 1}] * 3
    with disabled():
        assert loader.get_or_set("ns", "k", load) == {"n": 2}


def test_a_failing_load(sidecar: Daemon, loader: Any) -> None:
    def load() -> int:
        raise BrokenSourceError("down")

    with pytest.raises(BrokenSourceError):
        loader.get_or_set("ns", "k", load)
    assert loader.get_or_set("ns", "other", lambda: 7, ttl=10, stale="1h") == 7
    pass_time(sidecar, 11)
    assert loader.get_or_set("ns", "other", load, ttl=10, stale="1h") == 7


def test_one_thread_of_many_loads(store: Cache) -> None:
    calls: list[int] = []

    def load() -> str:
        calls.append(1)
        while store.stats("ns")["namespaces"]["ns"]["waits"]["now"] < 9:
            pass
        return "loaded"

    def call(_: int) -> str:
        try:
            return store.get_or_set("ns", "cold", load)
        finally:
            store.close()

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(call, range(10))) == ["loaded"] * 10
    assert len(calls) == 1


def test_without_a_sidecar_threads_still_load_once(tmp_path: Any) -> None:
    store, calls = Cache(str(tmp_path / "nobody.sock")), []
    begun, go = threading.Event(), threading.Event()

    def load() -> str:
        calls.append(1)
        begun.set()
        assert go.wait(10)
        return "loaded"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.get_or_set, "ns", "k", load)
        assert begun.wait(10)
        second = pool.submit(store.get_or_set, "ns", "k", load)
        # It waits for the first, or comes when that has ended.
        go.set()
        assert (first.result(10), second.result(10)) == ("loaded", "loaded")
    assert store.get_or_set_many("ns", ["a"], lambda keys: {"a": keys}) == {"a": ["a"]}


def test_only_what_is_missing_is_loaded(loader: Any) -> None:
    source = Source()
    assert loader.get_or_set_many("ns", ["1", "2"], source) == {"1": "number 1", "2": "number 2"}
    found = loader.get_or_set_many("ns", ["3", "2", "x", "1", "3"], source)
    assert list(found.items()) == [("3", "number 3"), ("2", "number 2"), ("1", "number 1")]
    assert source.asked == [["1", "2"], ["3", "x"]]
    with disabled():
        assert loader.get_or_set_many("ns", ["1", "1"], source) == {"1": "number 1"}
    assert source.asked[2:] == [["1"]]
    assert loader.get_or_set_many("ns", [], source) == {}


def test_what_has_nothing_is_passed_on(store: Cache) -> None:
    store.get_or_set_many("ns", ["x"], Source())
    leases = store.stats("ns")["namespaces"]["ns"]["leases"]
    assert (leases["passed"], leases["held"]) == (1, 0)


def test_more_keys_than_a_request_takes(store: Cache) -> None:
    source = Source()
    keys = [str(number) for number in range(2500)]
    assert len(store.get_or_set_many("ns", keys, source)) == 2500
    assert [len(asked) for asked in source.asked] == [1000, 1000, 500]
    assert len(store.get_or_set_many("ns", keys, source)) == 2500
    assert len(source.asked) == 3


def test_a_batch_that_fails_shows_what_is_stale(sidecar: Daemon, loader: Any) -> None:
    def broken(keys: list[str]) -> dict[str, str]:
        raise BrokenSourceError(",".join(keys))

    loader.get_or_set_many("ns", ["1", "2"], Source(), ttl=10, stale="1h")
    pass_time(sidecar, 11)
    assert loader.get_or_set_many("ns", ["1", "2"], broken) == {"1": "number 1", "2": "number 2"}
    with pytest.raises(BrokenSourceError, match="3"):
        loader.get_or_set_many("ns", ["3"], broken)


def test_one_value_that_is_too_large_keeps_none_from_being_kept(store: Cache) -> None:
    store.policy("ns", max_value_bytes=100)
    values = {"small": "x", "large": "y" * 200}
    with Cache() as quiet:
        assert quiet.get_or_set_many("ns", list(values), lambda keys: {key: values[key] for key in keys}) == values
    assert (store.exists("ns", "small"), store.exists("ns", "large")) == (True, False)
    # Nobody is kept waiting for it.
    assert store.stats("ns")["namespaces"]["ns"]["leases"]["held"] == 0


def test_overlapping_batches_load_each_key_once(store: Cache) -> None:
    """Whoever loads some and waits for others fills its own before it waits."""
    loads: list[str] = []
    lock, started = threading.Lock(), threading.Barrier(4)

    def load(keys: list[str]) -> dict[str, int]:
        with lock:
            loads.extend(keys)
        return {key: int(key) for key in keys}

    def call(first: int) -> dict[str, int]:
        started.wait(10)
        try:
            return store.get_or_set_many("ns", [str(first + n) for n in range(20)], load)
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(call, [0, 5, 10, 15]))
    assert found == [{str(first + n): first + n for n in range(20)} for first in (0, 5, 10, 15)]
    assert sorted(map(int, loads)) == list(range(35))


def test_another_batch_is_waited_for(store: Cache) -> None:
    """The second is elected for its own key, fills that, and is then answered by the first one's fill."""
    begun, go = threading.Event(), threading.Event()

    def slow(keys: list[str]) -> dict[str, str]:
        begun.set()
        assert go.wait(10)
        return dict.fromkeys(keys, "first")

    def second(keys: list[str]) -> dict[str, str]:
        assert keys == ["b"]
        return dict.fromkeys(keys, "second")

    def call(load: Any, keys: list[str]) -> Any:
        try:
            return store.get_or_set_many("ns", keys, load)
        finally:
            store.close()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(call, slow, ["a"])
        assert begun.wait(10)
        other = pool.submit(call, second, ["a", "b"])
        while store.stats("ns")["namespaces"]["ns"]["waits"]["now"] < 1:
            pass
        go.set()
        assert (one.result(10), other.result(10)) == ({"a": "first"}, {"a": "first", "b": "second"})


def test_a_typed_namespace(store: Cache) -> None:
    ids = store.namespace("ids", UUID)
    one, two = UUID(int=1), UUID(int=2)
    assert ids.get_or_set("1", lambda: one) == one
    assert ids.get_or_set("1", lambda: two) == one
    assert ids.get_or_set_many(["1", "2"], lambda keys: dict.fromkeys(keys, two)) == {"1": one, "2": two}
    assert ids.get_many(["2", "3"]) == {"2": two}
    # What isn't of the type any more is loaded anew.
    store.set("ids", "1", "no id")
    assert ids.get_or_set_many(["1"], lambda keys: dict.fromkeys(keys, one)) == {"1": one}
    assert ids.get("1") == one


def test_a_function_of_many_shares_with_one_of_one(store: Cache) -> None:
    asked: list[Any] = []

    @cached("quizzes", key="{quiz_id}")
    def get_quiz(quiz_id: UUID) -> str:
        asked.append(quiz_id)
        return f"quiz {quiz_id.int}"

    @cached_many("quizzes", "quiz_ids", "10m", key="{quiz_ids}", tags=["quiz:{quiz_ids}"])
    def get_quizzes(prefix: str, quiz_ids: list[UUID]) -> dict[UUID, str]:
        asked.append(quiz_ids)
        return {quiz_id: f"{prefix} {quiz_id.int}" for quiz_id in quiz_ids if quiz_id.int < 4}

    one, two, three, four = (UUID(int=n) for n in range(1, 5))
    get_quiz(one)
    assert get_quizzes("quiz", [one, two, four]) == {one: "quiz 1", two: "quiz 2"}
    assert get_quizzes("quiz", quiz_ids=[three, two]) == {three: "quiz 3", two: "quiz 2"}
    assert get_quiz(three) == "quiz 3"
    assert asked == [one, [two, four], [three]]
    assert store.clear("quizzes", tags=[f"quiz:{two}"]) == 1
    with disabled():
        assert get_quizzes("new", [two]) == {two: "new 2"}


def test_an_async_function_of_many(sidecar: Daemon) -> None:
    asked: list[list[int]] = []

    @cached_many("squares", "numbers", key="{numbers}")
    async def squares(*, numbers: list[int]) -> dict[int, int]:
        asked.append(numbers)
        return {number: number**2 for number in numbers}

    async def run() -> None:
        assert await squares(numbers=[1, 2]) == {1: 1, 2: 4}
        assert await squares(numbers=[2, 3]) == {2: 4, 3: 9}
        await cache.aclose()

    asyncio.run(run())
    assert asked == [[1, 2], [3]]
    counted = counters()["squares"]
    assert (counted["hits"], counted["loads"]) == (1, 2)


def test_a_function_of_many_that_says_no_mapping() -> None:
    with pytest.raises(TypeError, match=r"expected a mapping such as dict\[int, Quiz\]"):

        @cached_many("ns", "numbers", key="{numbers}")
        def numbers(numbers: list[int]) -> list[int]:
            return numbers
