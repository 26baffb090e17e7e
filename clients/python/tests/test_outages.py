"""A sidecar that is gone, hangs, says nonsense or comes back: what its callers see of that, and what it costs them."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import select
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from callers import closing

from daemon import Daemon
from pannier import MISS, AsyncCache, Cache, RefusedError, UnavailableError, cache, cached, configure
from pannier import _calls as calls
from pannier._async import _SWEEP_SECONDS as SWEEP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path


def both(**options: Any) -> tuple[Callable[[], int], Callable[[], Awaitable[int]]]:
    """Two functions of one key, that return 1 and 2."""

    @cached("ns", key="k", **options)
    def number() -> int:
        return 1

    @cached("ns", key="k", **options)
    async def awaited() -> int:
        return 2

    return number, awaited


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


def test_a_sidecar_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """However long others' loads would be."""
    configure(socket=tmp_path / "hangs.sock", request_timeout=0.05, breaker_pause=60)

    number, awaited = both(wait="1h")

    with hanging(tmp_path / "hangs.sock"):
        assert number() == 1
        cache.sync.close()
        assert asyncio.run(closing(awaited())) == 2


def test_one_that_hangs_while_others_loads_are_awaited_is_given_up(sidecar: Daemon) -> None:
    """Its silence alone says nothing: it is asked for a sign of life."""
    configure(request_timeout=0.1, breaker_pause=60)
    holder, other = Cache(raises=True), Cache(raises=True)
    assert holder.ask(calls.get("ns", "k", lease=True)).lease is not None

    number, awaited = both(wait="1h")

    def waiting() -> int:
        found: int = other.stats("ns")["namespaces"]["ns"]["waits"]["now"]
        return found

    def call() -> int:
        try:
            return number()
        finally:
            cache.sync.close()

    with holder, other, ThreadPoolExecutor(2) as pool:
        found = [pool.submit(call), pool.submit(asyncio.run, closing(awaited()))]
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


def test_one_that_ends_while_a_sign_of_life_is_awaited_is_no_error_of_the_loop(tmp_path: Path) -> None:
    configure(socket=tmp_path / "ends.sock", request_timeout=0.05, breaker_pause=60)
    errors: list[dict[str, Any]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "ends.sock"))
            listener.listen()
            asking = asyncio.create_task(AsyncCache().ask(calls.get("ns", "k", lease=True, wait=60)))
            peer, _ = await asyncio.to_thread(listener.accept)
            with peer:
                while b'"op":"ping"' not in await asyncio.to_thread(peer.recv, 4096):
                    pass
        with pytest.raises(UnavailableError):
            await asking
        # A sweep that was to come comes before a timer that is set now.
        swept: asyncio.Future[None] = loop.create_future()
        loop.call_later(2 * SWEEP_SECONDS, swept.set_result, None)
        await swept

    asyncio.run(run())
    assert errors == []


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

    number, awaited = both()

    with answering(tmp_path / "ends.sock", answer):
        assert [number() for _ in range(3)] == [1, 1, 1]
        cache.sync.close()
        assert asyncio.run(closing(awaited())) == 2


def test_without_descriptors_functions_are_simply_called(sidecar: Daemon) -> None:
    number, awaited = both()

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

        number, awaited = both()

        is_in = False
        while not is_in:
            # The test of whether it serves had one, too.
            with suppress(RefusedError, UnavailableError):
                is_in = only.ping()
        assert [number() for _ in range(3)] == [1, 1, 1]
        cache.sync.close()
        assert asyncio.run(closing(awaited())) == 2
        only.close()
