"""Changes that no sidecar could be told of: when they are told, by whom, and in which order."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import pytest
from callers import closing

from daemon import Daemon
from pannier import MISS, Cache, cache, configure
from pannier import _calls as calls
from pannier._unsent import Unsent, unsent_for
from talk import request


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("pause", [0.01, 60])
def test_a_change_that_could_not_be_told_is_told_when_a_sidecar_answers_again(is_async: bool, pause: float) -> None:
    """Another worker has filled it meanwhile with what was there before."""
    configure(breaker_pause=pause)

    def ask(method: str, *arguments: Any, **more: Any) -> Any:
        if not is_async:
            return getattr(cache.sync, method)(*arguments, **more)
        return asyncio.run(closing(getattr(cache, method)(*arguments, **more)))

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
