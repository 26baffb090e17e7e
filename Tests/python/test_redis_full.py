"""The scripts against a Redis that is full, or may not be written: what passes, and that nothing else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis
from redis.exceptions import OutOfMemoryError

from redis_scripts import FLOOR, Host, attempt, everything, groups, lease_name, read, records, value_name

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def full(host: Host) -> Host:
    """Something of everything, and no memory for more."""
    host.set("k", "l")
    host.clear("match", "a*")
    host.server.call("SET", lease_name("k"), "token")
    host.server.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    host.server.call("CONFIG", "SET", "maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="command not allowed"):
        host.server.call("SET", "x", "y")
    return host


def test_a_full_redis_deletes(full: Host) -> None:
    assert full.delete("k") == 4
    assert full.delete("never was") == 5
    assert full.server.number("EXISTS", value_name("k")) == 0
    assert records(full.server)[-1] == (f"{full.incarnation}-5", f"k del ns q h a o {full.ops} key never was")


def test_a_full_redis_marks_and_clears(full: Host) -> None:
    assert full.soft("k") == 4
    assert full.soft("l", leases=["l"]) == 5
    assert b'"soft":1' in read(full.server, "k")
    assert full.clear("tags", "t") == 6
    assert full.clear("match", "m*", soft=True) == 7
    assert full.clear(ns="new") == 8
    assert full.clear() == 9
    assert groups(full.server) == {"all": 9}


def test_a_full_redis_touches(full: Host) -> None:
    assert full.touch("k", read(full.server, "k"), 3, 70_000) == ("TOUCHED", 4)


@pytest.mark.parametrize("change", ["set", "setIf", "fill", "fill under a lease"])
def test_a_full_redis_stores_nothing_and_nothing_is_done(full: Host, change: str) -> None:
    full.server.call("CONFIG", "SET", "maxmemory", 0)
    full.server.call("SET", lease_name("absent"), "token")
    full.server.call("CONFIG", "SET", "maxmemory", 1)
    stores: dict[str, Callable[[], object]] = {
        "set": lambda: full.set("k", "absent", leases=["absent"]),
        "setIf": lambda: full.set_if("absent", b"", 3),
        "fill": lambda: full.fill("absent", 3),
        "fill under a lease": lambda: full.fill("absent", 3, token="token"),
    }
    before = everything(full.server)
    with pytest.raises(OutOfMemoryError):
        stores[change]()
    assert everything(full.server) == before


def test_a_full_redis_still_makes_a_conflict_a_delete(full: Host) -> None:
    assert full.set("k", guard=1) == ("CONFLICT", 4)
    assert full.server.number("EXISTS", value_name("k")) == 0


def test_a_full_redis_can_be_joined(full: Host) -> None:
    full.server.call("DEL", "p:~groups:q")
    assert Host(full.server, "b", 1).join().tables == {"q": {"all": 4}}
    full.server.call("DEL", FLOOR)
    assert full.join().n == 1


@pytest.mark.parametrize("change", ["join", "delete", "soft", "clear", "set", "setIf"])
def test_a_replica_says_so_by_its_code(host: Host, change: str) -> None:
    host.server.call("REPLICAOF", "127.0.0.1", 1)
    try:
        with pytest.raises(redis.ReadOnlyError):
            host.join() if change == "join" else attempt(host, change)
    finally:
        host.server.call("REPLICAOF", "NO", "ONE")
