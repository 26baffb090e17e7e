"""Events as they happen."""

from __future__ import annotations

import asyncio
import signal
import threading
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from pannier import AsyncCache, Cache, RefusedError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from daemon import Daemon


def test_events_of_a_namespace(store: Cache) -> None:
    events = store.watch("ns", events=["set", "delete"])
    with pytest.raises(RefusedError, match="unknown event"):
        next(store.watch(events=["sets"]))

    async def seen() -> list[str]:
        watching = AsyncCache().watch("ns")
        first = asyncio.ensure_future(anext(watching))
        # It is watching once this has been answered behind it.
        while not first.done():
            store.set("other", "k", 1)
            store.set("ns", "k", 1)
            await asyncio.sleep(0)
        store.delete("ns", "k")
        found = [(await first)["event"]]
        while found[-1] != "delete":
            found.append((await anext(watching))["event"])
        await watching.aclose()  # type: ignore[attr-defined]
        return found

    kinds = asyncio.run(seen())
    assert set(kinds) == {"set", "delete"}
    del events


def test_a_sidecar_that_is_gone(sidecar: Daemon, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        next(Cache(str(tmp_path / "nobody.sock")).watch())
    seen: Queue[Any] = Queue()

    def watch() -> None:
        for event in Cache().watch("ns", events=["set"]):
            seen.put(event["event"])
        seen.put("the end")

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    with Cache() as store:
        while seen.empty():
            store.set("ns", "k", 1)
    sidecar.signal(signal.SIGTERM)
    assert seen.get(timeout=10) == "set"
    watching.join(10)
    assert list(seen.queue)[-1] == "the end"
    assert sidecar.wait() == 0
