"""Values in Redis are compressed where that makes them smaller, and what claims to be one and isn't is a miss."""

from __future__ import annotations

import random
import re
import string
import struct
from typing import TYPE_CHECKING, Any

import pytest

from talk import parsed, request

if TYPE_CHECKING:
    from redis_server import RedisServer
    from sidecars import Host, StartHost

MISS = {"ok": True, "hit": False}
STORED = {"ok": True, "stored": True}
BLOCK_BYTES = 128 << 10
# The largest value by default.
MOST_BYTES = 1 << 20
# What a process may take more than before, being as it is.
SLACK_BYTES = 16 << 20


@pytest.fixture
def hosts(start_host: StartHost, own_redis: RedisServer) -> tuple[Host, Host]:
    """Patient ones, for large values on a busy machine."""
    a, b = (start_host(redis=f"redis: {{url: '{own_redis.url}', timeout: 2s}}") for _ in range(2))
    for host in (a, b):
        host.until_up()
    return a, b


def stored(redis: RedisServer, key: str = "k") -> bytes:
    value = redis.call("GET", f"pannier:q:{key}")
    assert isinstance(value, bytes)
    return value


def put(redis: RedisServer, payload: bytes, key: str = "k") -> None:
    """Another payload in the place of that of a value that stands."""
    line, _, _ = stored(redis, key).partition(b"\n")
    line = re.sub(rb'"encoding":"\w+","bytes":\d+', b'"encoding":"zstd","bytes":%d' % len(payload), line)
    redis.call("SET", f"pannier:q:{key}", line + b"\n" + payload, "PX", 60_000)


def frame(claim: int, blocks: int, byte: bytes = b"1") -> bytes:
    """So many blocks of one byte over and over, behind a header that claims whatever it likes."""
    headers = [(BLOCK_BYTES << 3 | 1 << 1 | (block == blocks - 1)).to_bytes(3, "little") for block in range(blocks)]
    return b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", claim) + b"".join(header + byte for header in headers)


@pytest.mark.parametrize("size", [100, 10 << 10, 63 << 10, 65 << 10, MOST_BYTES])
@pytest.mark.parametrize("kind", ["same", "random"])
def test_values_come_back_and_are_smaller_where_they_can_be(
    hosts: tuple[Host, Host], own_redis: RedisServer, size: int, kind: str
) -> None:
    a, b = hosts
    signs = random.Random(size)
    text = "answer " * (size // 7) if kind == "same" else "".join(signs.choices(string.printable[:62], k=size - 2))
    value = text[: size - 2]
    a.set("k", value, tags=["t"])
    # A load's value goes another way.
    token = a.get("loaded", lease=True)["lease"]
    assert a.set("loaded", value, lease=token) == STORED
    b.catch_up(a)
    for key in ("k", "loaded"):
        assert b.get(key) == {"ok": True, "hit": True, "value": value}
        line, _, payload = stored(own_redis, key).partition(b"\n")
        if size >= 1024 and kind == "same":
            assert b'"encoding":"zstd"' in line
            assert len(payload) < size / 4
        elif size < 1024:
            assert b'"encoding":"json"' in line
            assert payload.decode() == f'"{value}"'
        else:
            assert len(payload) < size
    assert b.redis()["errors"] == {}
    # What depends on it, and what changes it in place.
    version = b.get("k", meta=True)["version"]
    assert b.ask("touch", ns="q", key="k", ttl=100) == {"ok": True, "touched": True}
    same: dict[str, Any] = {"if": {"version": version}}
    assert b.set("k", value[::-1], **same) == STORED
    a.catch_up(b)
    assert a.get("k")["value"] == value[::-1]


def test_changes_keep_their_order_behind_large_values(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    large = "large " * (150_000)
    for number in range(20):
        key = f"k{number}"
        items: list[dict[str, Any]] = [{"key": key, "value": large}, {"key": key, "value": number}]
        answer = a.ask("set", ns="q", items=items)
        assert answer["items"] == [{"stored": True}] * 2
        assert "redis" not in answer
    b.catch_up(a)
    for number in range(20):
        assert a.get(f"k{number}")["value"] == number
        assert b.get(f"k{number}")["value"] == number


def test_conditions_find_a_large_value_that_was_loaded_just_before(hosts: tuple[Host, Host]) -> None:
    a, _ = hosts
    absent: dict[str, Any] = {"if": "absent"}
    for number in range(10):
        key = f"k{number}"
        token = a.get(key, lease=True)["lease"]
        a.peer.send(request("set", ns="q", key=key, value="large " * 150_000, lease=token))
        a.peer.send(request("set", ns="q", key=key, value=1, **absent))
        assert parsed(a.peer.receive()) == STORED
        assert parsed(a.peer.receive()) == {"ok": True, "stored": False, "reason": "exists"}


def test_a_load_is_found_where_memory_keeps_nothing(start_host: StartHost, own_redis: RedisServer) -> None:
    redis = f"redis: {{url: '{own_redis.url}', timeout: 2s}}"
    a = start_host("namespaces: {q: {tiers: [redis]}}", redis=redis)
    a.until_up()
    for number in range(10):
        key = f"k{number}"
        token = a.get(key, lease=True)["lease"]
        a.peer.send(request("set", ns="q", key=key, value="large " * 150_000, lease=token))
        a.peer.send(request("get", ns="q", key=key))
        assert parsed(a.peer.receive()) == STORED
        assert parsed(a.peer.receive())["hit"]


def test_reads_pass_a_large_value_on_its_way(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    b.set("small", 1)
    a.catch_up(b)
    a.peer.send(request("set", ns="q", key="large", value="large " * 150_000))
    a.peer.send(request("get", ns="q", key="small"))
    assert parsed(a.peer.receive()) == STORED
    assert parsed(a.peer.receive())["value"] == 1


def test_truncated_frames_are_misses(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    for size in (10_000, 500_000):
        a.set("k", "answer " * (size // 7))
        payload = stored(own_redis).partition(b"\n")[2]
        before = b.redis()["errors"].get("encoding", 0)
        for count in (1, 5, len(payload) // 2, len(payload) - 1):
            put(own_redis, payload[:count])
            assert b.get("k") == MISS
        assert b.redis()["errors"] == {"encoding": before + 4}
        put(own_redis, payload)
        assert b.get("k")["hit"]
        a.ask("delete", ns="q", key="k")
        b.catch_up(a)


@pytest.mark.parametrize(
    "payload",
    [
        frame(MOST_BYTES + 1, 8),
        frame(1 << 30, 1 << 13),
        frame(1 << 40, 8),
        frame((1 << 64) - 1, 8),
        frame((1 << 64) - 2, 8),
        frame(0, 1),
        frame(1 << 20, 7),
        frame(1 << 20, 8, b"\n"),
        frame(1 << 20, 8) * 100,
        b"1",
    ],
)
def test_what_claims_to_be_large_is_a_miss_and_takes_no_memory(
    hosts: tuple[Host, Host], own_redis: RedisServer, payload: bytes
) -> None:
    a, b = hosts
    a.set("k", 1)
    put(own_redis, payload)
    before = b.ask("stats")["resident"]
    for _ in range(10):
        assert b.get("k") == MISS
    assert b.redis()["errors"] == {"encoding": 10}
    assert b.ask("stats")["resident"] < before + SLACK_BYTES
    assert b.set("k", 2) == STORED
    # One that keeps to the limit is a value, whoever wrote it.
    put(own_redis, frame(MOST_BYTES, 8))
    assert str(a.peer.ask(request("get", ns="q", key="k"))).count("1") in (0, MOST_BYTES)


@pytest.mark.parametrize(
    ("policy", "size", "encoding"),
    [
        ("off", 100_000, "json"),
        ("{min_bytes: 100}", 100, "zstd"),
        ("{min_bytes: 100}", 99, "json"),
        ("{min_bytes: 1KiB}", 1023, "json"),
    ],
)
def test_the_policy_says_what_is_compressed(
    start_host: StartHost, own_redis: RedisServer, policy: str, size: int, encoding: str
) -> None:
    host = start_host(f"namespaces: {{q: {{compress: {policy}}}}}")
    host.until_up()
    value = "x" * (size - 2)
    assert host.set("k", value) == STORED
    token = host.get("loaded", lease=True)["lease"]
    assert host.set("loaded", value, lease=token) == STORED
    # What is sent after it is answered after it.
    assert host.set("last", 1) == STORED
    for key in ("k", "loaded"):
        assert f'"encoding":"{encoding}"'.encode() in stored(own_redis, key)
    host.ask("policy", ns="q", set={"compress": None})
    assert host.set("k", value) == STORED
    assert b'"encoding":"json"' in stored(own_redis)
