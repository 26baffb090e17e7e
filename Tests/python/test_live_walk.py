"""What clears made void goes from Redis, too, and nothing else does."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, cast

import pytest

from sidecars import Host, until
from talk import BATCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis_server import RedisServer
    from sidecars import StartHost

COUNT = 5000
# The last number of a key says which tag it has.
TAGS = 10


@pytest.fixture
def hosts(start_host: StartHost, own_redis: RedisServer) -> tuple[Host, Host]:
    """Patient ones, so that thousands of values reach Redis on a busy machine."""
    a, b = (start_host(redis=f"redis: {{url: '{own_redis.url}', timeout: 2s}}") for _ in range(2))
    for host in (a, b):
        host.until_up()
    return a, b


def store(host: Host, count: int = COUNT, ns: str = "q") -> None:
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        items = [{"key": f"k{number}", "value": number, "tags": [f"t{number % TAGS}"]} for number in numbers]
        assert host.ask("set", ns=ns, items=items) == {"ok": True, "items": [{"stored": True}] * len(items)}


def names(redis: RedisServer, ns: str = "q", prefix: str = "pannier") -> set[str]:
    """The keys that Redis has values of, found without asking what the sidecar asks."""
    front = f"{prefix}:{ns}:"
    found: set[str] = set()
    cursor = b"0"
    while True:
        cursor, page = cast("tuple[bytes, list[bytes]]", redis.call("SCAN", cursor, "COUNT", 1000))
        found.update(name.decode().removeprefix(front) for name in page if name.decode().startswith(front))
        if cursor == b"0":
            return found


def until_walked(host: Host) -> dict[str, Any]:
    until(lambda: host.redis()["walk"]["namespaces"] == 0)
    walk: dict[str, Any] = host.redis()["walk"]
    assert not walk["running"]
    return walk


# What is asked for, and which values it takes in.
CLEARS: list[tuple[dict[str, Any], Callable[[int], bool]]] = [
    ({"tags": ["t3", "t7"]}, lambda number: number % TAGS in (3, 7)),
    ({"match": "k1*"}, lambda number: str(number).startswith("1")),
    ({}, lambda _: True),
]


@pytest.mark.parametrize(("clear", "goes"), CLEARS, ids=["tags", "match", "all"])
def test_a_clear_leaves_in_redis_what_it_does_not_cover(
    hosts: tuple[Host, Host], own_redis: RedisServer, clear: dict[str, Any], goes: Callable[[int], bool]
) -> None:
    a, b = hosts
    store(a)
    store(a, 100, ns="q2")
    # What looks like the namespace's, and is somebody else's.
    foreign = ["pannier:q:foreign", "pannier:q", "pannier:qq:k1", "pannierXq:k1", "xpannier:q:k1"]
    for name in foreign:
        own_redis.call("SET", name, "foreign")
    own_redis.call("LPUSH", "pannier:q:list", "x")
    # A value of ours under another's name.
    copy = own_redis.call("GET", "pannier:q:k1")
    assert isinstance(copy, bytes)
    own_redis.call("SET", "pannier:q:q:k1", copy)
    own_redis.call("CONFIG", "RESETSTAT")
    assert a.ask("clear", ns="q", **clear)["cleared"] > 0
    assert b.set("k1", "new", tags=["t3"]) == {"ok": True, "stored": True}
    walk = until_walked(a)
    left = {f"k{number}" for number in range(COUNT) if not goes(number)} | {"k1"}
    assert names(own_redis) == left | {"foreign", "list", "q:k1"}
    assert len(names(own_redis, "q2")) == 100
    assert own_redis.number("EXISTS", *foreign) == len(foreign)
    gone = COUNT + 1 - len(left) if goes(1) else COUNT - len(left)
    assert gone - 1 <= walk["removed"] <= gone
    assert walk["scanned"] >= COUNT
    assert b.redis()["walk"] == {"namespaces": 0, "scanned": 0, "removed": 0, "running": False}
    assert a.get("k1")["value"] == "new"
    used = own_redis.call("INFO", "commandstats")
    assert isinstance(used, bytes)
    assert b"cmdstat_scan" in used
    assert b"cmdstat_keys" not in used
    assert b"cmdstat_flush" not in used


def test_a_soft_clear_and_a_delete_walk_nowhere(hosts: tuple[Host, Host]) -> None:
    a, _ = hosts
    store(a, 10)
    a.ask("clear", ns="q", soft=True)
    a.ask("delete", ns="q", key="k1")
    assert a.redis()["walk"] == {"namespaces": 0, "scanned": 0, "removed": 0, "running": False}


def test_a_clear_of_all_namespaces_walks_through_each(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, _ = hosts
    for ns in ("q", "q2", "q3"):
        store(a, 300, ns=ns)
    own_redis.call("SET", "other:q:k", "1")
    a.ask("clear", ns="*")
    assert until_walked(a)["removed"] == 900
    assert all(not names(own_redis, ns) for ns in ("q", "q2", "q3"))
    assert own_redis.number("EXISTS", "other:q:k") == 1


def test_long_lines_are_read_whole(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, _ = hosts
    tags = [f"{number:0>128}" for number in range(16)]
    for number in range(300):
        a.set("\u0001" * 300 + str(number), "x" * 3000, tags=tags[:15] if number % 2 else tags)
    a.ask("clear", ns="q", tags=[tags[15]])
    assert until_walked(a)["removed"] == 150
    assert len(names(own_redis)) == 150


def test_the_walk_waits_for_a_redis_that_is_away_and_goes_on(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, _ = hosts
    store(a)
    a.ask("clear", ns="q", tags=["t3"])
    until(lambda: a.redis()["walk"]["scanned"] > 0)
    own_redis.signal(signal.SIGSTOP)
    until(lambda: a.set("x", 1).get("redis") == "queued" and a.redis()["state"] != "up")
    walk = a.redis()["walk"]
    assert (walk["namespaces"], walk["running"]) == (1, False)
    own_redis.signal(signal.SIGCONT)
    a.until_up()
    # What was removed when its reply was lost is not counted.
    assert until_walked(a)["removed"] <= COUNT // TAGS
    assert not {name for name in names(own_redis) if name.endswith("3")}


def test_the_walk_goes_on_where_its_connection_was_killed(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, _ = hosts
    store(a)
    a.ask("clear", ns="q", tags=["t3"])
    until(lambda: a.redis()["walk"]["scanned"] > 0)
    own_redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert until_walked(a)["removed"] <= COUNT // TAGS
    assert not {name for name in names(own_redis) if name.endswith("3")}


def test_a_namespace_with_signs_of_a_pattern_is_itself(start_host: StartHost, own_redis: RedisServer) -> None:
    a = start_host(redis=f"redis: {{url: '{own_redis.url}', prefix: 'p.-x'}}")
    a.until_up()
    for ns in ("a-c", "a.c", "abc"):
        store(a, 100, ns=ns)
    a.ask("clear", ns="a-c")
    assert until_walked(a)["removed"] == 100
    assert [len(names(own_redis, ns, "p.-x")) for ns in ("a-c", "a.c", "abc")] == [0, 100, 100]
