"""Connections and what becomes of them: a sidecar that is gone, hangs, or comes back; forks, threads, loops."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import resource
import select
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from daemon import Daemon
from pannier import MISS, AsyncCache, Cache, RefusedError, UnavailableError, cache, cached, configure
from pannier import _calls as calls
from pannier._unsent import Unsent, unsent_for
from talk import request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hanging(path: Path) -> Iterator[list[socket.socket]]:
    """Takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        yield []


def test_without_a_sidecar_functions_are_simply_called(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    configure(socket=tmp_path / "none.sock", breaker_pause=60)
    calls: list[int] = []

    @cached("ns", key="k")
    def number() -> int:
        calls.append(1)
        return len(calls)

    with caplog.at_level(logging.WARNING, "pannier"):
        assert [number() for _ in range(3)] == [1, 2, 3]
        assert cache.sync.get("ns", "k") is MISS
        assert cache.sync.set("ns", "k", 1) is False
        assert cache.sync.delete("ns", "k") == 0
    # One line for the change, however many calls.
    assert len(caplog.records) == 1
    assert "none.sock" in caplog.records[0].message


def test_who_wants_to_know_is_told(tmp_path: Path) -> None:
    with Cache(str(tmp_path / "none.sock"), raises=True) as store, pytest.raises(UnavailableError):
        store.get("ns", "k")


def test_a_refusal_says_what_it_is(sidecar: Daemon, store: Cache) -> None:
    with pytest.raises(RefusedError, match="bad_request") as caught:
        store.get("no such name", "k")
    assert caught.value.code == "bad_request"
    # By default it is a miss.
    assert cache.sync.get("no such name", "k") is MISS


def test_a_sidecar_that_hangs_costs_one_caller_its_time(tmp_path: Path) -> None:
    path = tmp_path / "hangs.sock"
    configure(socket=path, request_timeout=0.05, breaker_pause=60)
    with hanging(path):
        store = Cache(raises=True)
        with pytest.raises(UnavailableError, match="temporarily unavailable"):
            store.get("ns", "k")
        for _ in range(100):
            with pytest.raises(UnavailableError, match="a moment ago"):
                store.get("ns", "k")
        store.close()

        async def run() -> None:
            async with AsyncCache(raises=True) as other:
                with pytest.raises(UnavailableError, match="no answer in time"):
                    await other.get("ns", "k")
                for _ in range(100):
                    with pytest.raises(UnavailableError, match="a moment ago"):
                        await other.get("ns", "k")

        asyncio.run(run())


def test_a_sidecar_that_comes_back_is_used_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    configure(breaker_pause=0.01)
    with Daemon() as first, Cache(str(first.socket)) as store:
        assert store.set("ns", "k", 1) is True
        first.signal(signal.SIGKILL)
        first.wait()
        with caplog.at_level(logging.WARNING, "pannier"):
            assert store.get("ns", "k") is MISS
            with Daemon(socket=first.socket):
                while not store.set("ns", "k", 2):
                    pass
                assert store.get("ns", "k") == 2
        assert [record.message.split(":")[0] for record in caplog.records] == [
            "the cache can't be used, and functions are simply called",
            "the cache is used again",
        ]


def test_one_that_was_restarted_between_two_calls_is_not_noticed(sidecar: Daemon) -> None:
    with Cache(str(sidecar.socket), raises=True) as store:
        store.set("ns", "k", 1)
        sidecar.signal(signal.SIGKILL)
        sidecar.wait()
        with Daemon(socket=sidecar.socket):
            assert store.get("ns", "k") is MISS
            store.close()


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


def test_a_sidecar_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """However long others' loads would be."""
    configure(socket=tmp_path / "hangs.sock", request_timeout=0.05, breaker_pause=60)

    @cached("ns", key="k", wait="1h")
    def number() -> int:
        return 1

    @cached("ns", key="k", wait="1h")
    async def awaited() -> int:
        return 2

    with hanging(tmp_path / "hangs.sock"):
        assert number() == 1
        cache.sync.close()
        assert asyncio.run(_closing(awaited())) == 2


async def _closing(asked: Any) -> Any:
    try:
        return await asked
    finally:
        await cache.aclose()


def test_one_that_hangs_while_others_loads_are_awaited_is_given_up(sidecar: Daemon) -> None:
    """Its silence alone says nothing: it is asked for a sign of life."""
    configure(request_timeout=0.1, breaker_pause=60)
    holder, other = Cache(raises=True), Cache(raises=True)
    assert holder.ask(calls.get("ns", "k", lease=True)).lease is not None

    @cached("ns", key="k", wait="1h")
    def number() -> int:
        return 1

    @cached("ns", key="k", wait="1h")
    async def awaited() -> int:
        return 2

    def waiting() -> int:
        found: int = other.stats("ns")["namespaces"]["ns"]["waits"]["now"]
        return found

    def call() -> int:
        try:
            return number()
        finally:
            cache.sync.close()

    with holder, other, ThreadPoolExecutor(2) as pool:
        found = [pool.submit(call), pool.submit(asyncio.run, _closing(awaited()))]
        while waiting() < 2:
            pass
        # Signs of life came, as long as there were any.
        assert not select.select([], [], [], 0.3)[0]
        assert waiting() == 2
        sidecar.signal(signal.SIGSTOP)
        try:
            assert [one.result(20) for one in found] == [1, 2]
        finally:
            sidecar.signal(signal.SIGCONT)


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """To each request it says so much, and hangs up."""

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            with end:
                if end.recv(1000):
                    end.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        server = threading.Thread(target=serve)
        server.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    server.join(10)


@pytest.mark.parametrize(
    "answer",
    [b"", b'{"ok":true,"hit":tr', b'{"id":1,"ok":true,"hit":true,"value":"x', b"\n", b"nonsense\n", b"[]\n", b"{}\n"],
)
def test_one_that_ends_between_request_and_answer_costs_no_call_its_result(tmp_path: Path, answer: bytes) -> None:
    configure(socket=tmp_path / "ends.sock", request_timeout=0.2, breaker_pause=60)

    @cached("ns", key="k")
    def number() -> int:
        return 1

    @cached("ns", key="k")
    async def awaited() -> int:
        return 2

    with answering(tmp_path / "ends.sock", answer):
        assert [number() for _ in range(3)] == [1, 1, 1]
        cache.sync.close()
        assert asyncio.run(_closing(awaited())) == 2


def test_without_descriptors_functions_are_simply_called(sidecar: Daemon) -> None:
    @cached("ns", key="k")
    def number() -> int:
        return 1

    @cached("ns", key="k")
    async def awaited() -> int:
        return 2

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    loop = asyncio.new_event_loop()
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    holes = [os.open("/dev/null", os.O_RDONLY)]
    while holes[-1] <= highest:
        holes.append(os.open("/dev/null", os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (holes[-1] + 1, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            os.open("/dev/null", os.O_RDONLY)
        assert number() == 1
        assert loop.run_until_complete(awaited()) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for hole in holes:
            os.close(hole)
        loop.close()


def test_a_sidecar_that_takes_no_more_connections() -> None:
    with Daemon("limits: {connections: 1}") as daemon:
        configure(socket=daemon.socket)
        only = Cache(raises=True)

        @cached("ns", key="k")
        def number() -> int:
            return 1

        @cached("ns", key="k")
        async def awaited() -> int:
            return 2

        is_in = False
        while not is_in:
            # The test of whether it serves had one, too.
            with suppress(RefusedError, UnavailableError):
                is_in = only.ping()
        assert [number() for _ in range(3)] == [1, 1, 1]
        cache.sync.close()
        assert asyncio.run(_closing(awaited())) == 2
        only.close()


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("pause", [0.01, 60])
def test_a_change_that_could_not_be_told_is_told_when_a_sidecar_answers_again(is_async: bool, pause: float) -> None:
    """Another worker has filled it meanwhile with what was there before."""
    configure(breaker_pause=pause)

    def ask(method: str, *arguments: Any, **more: Any) -> Any:
        if not is_async:
            return getattr(cache.sync, method)(*arguments, **more)
        return asyncio.run(_closing(getattr(cache, method)(*arguments, **more)))

    with Daemon() as first:
        configure(socket=first.socket)
        assert ask("set", "ns", "a", 1) is True
        first.signal(signal.SIGKILL)
        first.wait()
        # Told nobody: a delete, a clear, and what a set would have replaced.
        assert ask("delete", "ns", "a") == 0
        assert ask("clear", "ns", tags=["t"]) == 0
        assert ask("set", "ns", "c", 2) is False
        assert ask("set", "ns", "d", 2) is False
        # Another process: this one's clients all know what is to be told.
        with Daemon(socket=first.socket) as second, second.connect() as other:
            for key in ("a", "b", "c", "kept"):
                other.ask(request("set", ns="ns", key=key, value=1, tags=["t"] if key == "b" else []))
            # With a long pause only a change is tried before that is over.
            while ask("delete", "ns", "kept") == 0:
                pass
            assert json.loads(other.ask(request("keys", ns="ns")))["keys"] == []
            # Once.
            other.ask(request("set", ns="ns", key="a", value=3))
            assert ask("get", "ns", "a") == 3


def test_too_many_changes_become_one() -> None:
    unsent = Unsent()
    for number in range(10_001):
        unsent.add(b"%d" % number)
    assert unsent.take() == [b'{"op":"clear","ns":"*"}']
    assert unsent.take() == []


def test_a_load_or_a_condition_that_was_not_told_has_changed_nothing() -> None:
    assert calls.set_value("ns", "k", b"1", lease="f" * 32).later is None
    assert calls.set_value("ns", "k", b"1", condition="absent").later is None
    assert calls.clear("ns", dry_run=True).later is None
    later = calls.set_value("ns", "k", b"1").later
    assert later is not None
    assert later() == calls.delete("ns", ["k"]).line


def test_what_one_link_could_not_tell_the_other_tells_on_the_connection_it_has(sidecar: Daemon, store: Cache) -> None:
    async def run() -> None:
        assert await cache.set("ns", "a", 1) is True
        unsent_for(str(sidecar.socket)).add(calls.delete("ns", ["a"]).line)
        # In the order in which they are asked.
        assert await cache.get("ns", "a") is MISS
        await cache.aclose()

    asyncio.run(run())
    store.set("ns", "a", 1)
    unsent_for(str(sidecar.socket)).add(calls.delete("ns", ["a"]).line)
    assert store.get("ns", "a") is MISS
    assert unsent_for(str(sidecar.socket)).lines == {}
