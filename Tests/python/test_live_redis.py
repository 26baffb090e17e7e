"""Sidecars that share a Redis, as processes: what one changes others show, and what becomes of a Redis that fails."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from redis_server import RedisServer
from sidecars import MOST_SECONDS, Host, StartHost, until
from talk import code, parsed, request

if TYPE_CHECKING:
    from pathlib import Path

STORED = {"ok": True, "stored": True}
QUEUED = {"ok": True, "stored": True, "redis": "queued"}
MISS = {"ok": True, "hit": False}


def test_what_one_stores_the_other_shows(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    assert a.set("k", {"n": 1}, tags=["t"], ttl=60) == STORED
    first = b.get("k", meta=True)
    assert (first["tier"], first["value"], first["tags"]) == ("redis", {"n": 1}, ["t"])
    assert 59 < first["ttl"] <= 60
    again = b.get("k", meta=True)
    assert (again["tier"], again["version"]) == ("memory", first["version"])
    assert a.get("k", meta=True)["version"] == first["version"]
    assert b.get("k", unless=first["version"]) == {"ok": True, "hit": True, "same": True}
    counted = b.ask("stats", ns="q")["namespaces"]["q"]
    assert (counted["hits"], counted["hits_redis"]) == (3, 1)


def test_many_keys_take_one_round_trip_and_are_each_their_own(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    items = [{"key": f"k{n}", "value": n} for n in range(100)]
    assert a.ask("set", ns="q", items=items)["items"] == [{"stored": True}] * 100
    answer = b.ask("get", ns="q", keys=[f"k{n}" for n in range(0, 200, 2)])
    assert answer["items"] == [{"hit": True, "value": n} for n in range(0, 100, 2)] + [{"hit": False}] * 50


@pytest.mark.parametrize(
    "change",
    [
        {"op": "delete", "key": "k"},
        {"op": "delete", "keys": ["other", "k"]},
        {"op": "clear"},
        {"op": "clear", "match": "k*"},
        {"op": "clear", "tags": ["u", "t"]},
    ],
)
def test_what_one_ends_the_other_shows_no_more(hosts: tuple[Host, Host], change: dict[str, Any]) -> None:
    a, b = hosts
    a.set("k", 1, tags=["t"])
    assert b.get("k")["hit"]
    answer = a.ask(change["op"], ns="q", **{name: value for name, value in change.items() if name != "op"})
    assert answer in ({"ok": True, "deleted": 1}, {"ok": True, "cleared": 1})
    assert a.get("k") == MISS
    b.catch_up(a)
    assert b.get("k") == MISS


def test_a_replaced_value_is_replaced_everywhere(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.set("k", "old")
    assert b.get("k")["value"] == "old"
    assert b.set("k", "new") == STORED
    a.catch_up(b)
    assert a.get("k")["value"] == "new"


def test_soft_is_stale_everywhere(start_host: StartHost) -> None:
    a, b = (start_host("namespaces: {q: {stale: 60s}}") for _ in range(2))
    for host in (a, b):
        host.until_up()
    changes: list[tuple[str, dict[str, Any]]] = [("delete", {"key": "k"}), ("clear", {"tags": ["t"]})]
    for op, change in changes:
        a.set("k", 1, tags=["t"])
        assert b.get("k") == {"ok": True, "hit": True, "value": 1}
        a.ask(op, ns="q", soft=True, **change)
        b.catch_up(a)
        for host in (a, b):
            assert host.get("k") == MISS
            assert host.get("k", stale=True) == {"ok": True, "hit": True, "stale": True, "value": 1}


def test_a_load_fills_both_and_is_refused_after_a_change_elsewhere(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    token = a.get("k", lease=True)["lease"]
    assert a.set("k", 1, lease=token) == STORED
    until(lambda: b.get("k").get("value") == 1)
    a.ask("delete", ns="q", key="k")
    token = a.get("k", lease=True)["lease"]
    b.ask("delete", ns="q", key="k")
    a.catch_up(b)
    assert a.set("k", "old", lease=token) == {"ok": True, "stored": False, "reason": "lease_lost"}
    assert b.get("k") == MISS


def test_a_tag_cleared_elsewhere_refuses_the_fill(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    token = a.get("k", lease=True)["lease"]
    b.ask("clear", ns="q", tags=["t"])
    a.catch_up(b)
    assert a.set("k", "old", lease=token, tags=["t"])["reason"] == "lease_lost"


def test_without_redis_memory_serves_and_others_are_told_later(
    hosts: tuple[Host, Host], own_redis: RedisServer
) -> None:
    a, b = hosts
    a.set("k", 1)
    a.set("gone", 1)
    assert b.get("gone")["value"] == 1
    own_redis.signal(signal.SIGSTOP)
    assert a.get("k")["value"] == 1
    began = time.monotonic()
    for number in range(5):
        assert a.get(f"missing {number}") == MISS
    assert time.monotonic() - began < MOST_SECONDS
    until(lambda: a.redis()["state"] != "up")
    assert a.set("k", 2) == QUEUED
    assert a.get("k")["value"] == 2
    assert a.ask("delete", ns="q", key="gone") == {"ok": True, "deleted": 1, "redis": "queued"}
    assert a.ask("clear", ns="other") == {"ok": True, "cleared": 0} or a.ask("stats")["redis"]["queue"]["depth"] > 0
    own_redis.signal(signal.SIGCONT)
    a.until_up()
    until(lambda: a.redis()["queue"]["depth"] == 0)
    b.until_up()
    b.catch_up(a)
    assert b.get("gone") == MISS
    assert b.get("k").get("value") in (2, None)


def test_a_redis_that_comes_later_is_used(start_host: StartHost, own_redis: RedisServer) -> None:
    own_redis.kill()
    a = start_host()
    assert a.set("k", 1) == QUEUED
    assert a.get("k")["value"] == 1
    assert "unreachable" in a.redis()["reason"]
    own_redis.start_again()
    a.until_up()
    b = start_host()
    b.until_up()
    assert a.set("new", 2) == STORED
    assert b.get("new")["value"] == 2


def test_a_redis_that_lost_everything_empties_what_is_shared(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    a.set("k", 1)
    assert b.get("k")["value"] == 1
    own_redis.kill()
    until(lambda: a.redis()["state"] != "up" and b.redis()["state"] != "up")
    assert a.get("k")["value"] == 1
    own_redis.start_again()
    for host in hosts:
        host.until_up()
    until(lambda: a.get("k") == MISS)
    assert a.redis()["log"]["gaps"] == 1
    assert a.set("k", 2) == STORED
    until(lambda: b.get("k").get("value") == 2)


def test_flushall_is_noticed(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    a.set("k", 1)
    assert b.get("k")["value"] == 1
    own_redis.call("FLUSHALL")
    # The next change finds another incarnation, whoever makes it.
    a.ask("delete", ns="q", key="k")
    until(lambda: all(host.redis()["log"]["gaps"] == 1 and host.redis()["state"] == "up" for host in hosts))
    for host in hosts:
        assert host.get("k") == MISS
    assert a.set("k", 2) == STORED
    b.catch_up(a)
    assert b.get("k")["value"] == 2


def test_each_connection_killed_comes_back(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    a.set("k", 1)
    assert b.get("k")["value"] == 1
    for kind in ("normal", "normal"):
        own_redis.call("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        b_gone = b.ask("delete", ns="q", key="k")
        assert b_gone["ok"]
        for host in hosts:
            host.until_up()
        until(lambda: b.redis()["queue"]["depth"] == 0)
        a.catch_up(b)
        assert a.get("k") == MISS
        assert a.redis()["log"]["gaps"] == 0
        until(lambda: a.set("k", 1) == STORED)
        until(lambda: b.get("k").get("value") == 1)


@pytest.mark.parametrize("text", [b"plain", b'{"pannier":2}', b'{"pannier":1,', b"\xff\x00", b""])
def test_what_is_none_of_ours_is_a_miss_and_a_counter(
    hosts: tuple[Host, Host], own_redis: RedisServer, text: bytes
) -> None:
    a, _ = hosts
    own_redis.call("SET", "pannier:q:k", text, "PX", 60_000)
    assert a.get("k") == MISS
    assert sum(a.redis()["errors"].values()) == 1
    own_redis.call("DEL", "pannier:q:k")
    own_redis.call("LPUSH", "pannier:q:k", "x")
    assert a.get("k") == MISS
    assert a.redis()["errors"]["WRONGTYPE"] == 1
    assert a.set("k", 1) == STORED


def test_a_wrong_password_is_said_and_memory_serves(start_host: StartHost, tmp_path: Path) -> None:
    with RedisServer(password="right") as server:
        configuration = f"redis: {{url: 'unix://{server.socket}', password: wrong}}"
        wrong = start_host(redis=configuration)
        until(lambda: "WRONGPASS" in (wrong.redis().get("reason") or ""))
        assert wrong.set("k", 1) == QUEUED
        assert wrong.get("k")["value"] == 1
        start_host(redis=configuration.replace("wrong", "right")).until_up()
        # A file is read at each try.
        file = tmp_path / "password"
        late = start_host(redis=configuration.replace("password: wrong", f"password_file: '{file}'"))
        until(lambda: "can't be read" in (late.redis().get("reason") or ""))
        file.write_text("right\n", encoding="utf-8")
        late.until_up()


def test_a_full_redis_takes_deletes(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    a.set("k", 1)
    assert b.get("k")["value"] == 1
    own_redis.call("CONFIG", "SET", "maxmemory", 1)
    refused = a.set("other", 2)
    assert refused == QUEUED
    assert a.get("other") == MISS
    assert a.redis()["errors"]["OOM"] >= 1
    assert a.ask("delete", ns="q", key="k") == {"ok": True, "deleted": 1}
    b.catch_up(a)
    assert b.get("k") == MISS


def test_conditions_hold_among_all(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    absent: dict[str, Any] = {"if": "absent"}
    assert a.set("k", 1, **absent) == STORED
    assert b.set("k", 2, **absent) == {"ok": True, "stored": False, "reason": "exists"}
    version = b.get("k", meta=True)["version"]
    same: dict[str, Any] = {"if": {"version": version}}
    assert b.set("k", 3, **same) == STORED
    a.catch_up(b)
    assert a.set("k", 4, **same) == {"ok": True, "stored": False, "reason": "changed"}
    assert a.get("k")["value"] == 3
    present: dict[str, Any] = {"if": "present"}
    assert a.set("none", 1, **present) == {"ok": True, "stored": False, "reason": "missing"}
    # What was cleared is not there, though it still stands in Redis.
    b.ask("clear", ns="q", match="k*")
    assert a.set("k", 5, **absent) == STORED
    own_redis.kill()
    until(lambda: a.redis()["state"] != "up")
    assert code(a.peer.ask(request("set", ns="q", key="k", value=6, **absent))) == "tier_unavailable"


def test_of_many_who_set_what_is_absent_one_does(hosts: tuple[Host, Host]) -> None:
    for number in range(50):
        for host in hosts:
            host.peer.send(request("set", ns="q", key=f"k{number}", value=number, **{"if": "absent"}))
        answers = [parsed(host.peer.receive()) for host in hosts]
        assert sorted(answer["stored"] for answer in answers) == [False, True]


def test_touch_and_exists_know_what_others_have(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    a.set("k", 1, ttl=5)
    assert b.ask("exists", ns="q", key="k") == {"ok": True, "exists": True}
    assert b.ask("exists", ns="q", key="none") == {"ok": True, "exists": False}
    assert b.ask("touch", ns="q", key="k", ttl=100) == {"ok": True, "touched": True}
    assert b.ask("touch", ns="q", key="none") == {"ok": True, "touched": False}
    a.catch_up(b)
    for host in hosts:
        answer = host.get("k", meta=True)
        assert answer["value"] == 1
        assert 90 < answer["ttl"] <= 100


def test_a_strict_read_shows_what_any_host_was_answered(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    for number in range(200):
        assert a.set("k", number) == STORED
        assert b.get("k", strict=True)["value"] == number
    answer = b.ask("get", ns="q", keys=["k", "none"], strict=True)
    assert answer["items"] == [{"hit": True, "value": 199}, {"hit": False}]


def test_without_redis_a_strict_read_is_a_miss(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, _ = hosts
    assert a.set("k", 1) == STORED
    own_redis.kill()
    until(lambda: a.redis()["state"] != "up")
    assert a.get("k", strict=True) == MISS
    assert a.get("k")["value"] == 1


def test_verify_shows_nothing_unproven(start_host: StartHost, own_redis: RedisServer) -> None:
    verify = "namespaces: {v: {on_link_loss: verify}}\ncoherence: {bound: 500ms, beat: 100ms}"
    a = start_host(verify)
    a.until_up()
    until(lambda: a.redis()["log"]["proven"] is not None)
    assert a.set("k", 1, ns="v") == STORED
    assert a.set("k", 1, ns="s") == STORED
    assert a.get("k", ns="v", meta=True)["tier"] == "memory"
    own_redis.signal(signal.SIGSTOP)
    until(lambda: a.get("k", ns="v") == MISS)
    assert a.get("k", ns="s")["value"] == 1
    own_redis.signal(signal.SIGCONT)
    until(lambda: a.get("k", ns="v").get("value") == 1)


def test_through_is_refused_without_redis(start_host: StartHost, own_redis: RedisServer) -> None:
    a = start_host("namespaces: {q: {write: through}}")
    a.until_up()
    assert a.set("k", 1) == STORED
    own_redis.kill()
    until(lambda: a.redis()["state"] != "up")
    assert code(a.peer.ask(request("set", ns="q", key="k", value=2))) == "tier_unavailable"
    assert a.get("k") == MISS


def test_tiers_and_memory_ttl(start_host: StartHost) -> None:
    policies = "namespaces: {own: {tiers: memory}, far: {tiers: [redis]}, short: {memory_ttl: 50ms}}"
    a, b = (start_host(policies.replace("tiers: memory", "tiers: [memory]")) for _ in range(2))
    for host in (a, b):
        host.until_up()
    for ns in ("own", "far", "short"):
        assert a.set("k", 1, ns=ns) == STORED
    assert a.get("k", ns="own")["value"] == 1
    assert b.get("k", ns="own") == MISS
    for host in (a, b, a, b):
        assert host.get("k", ns="far", meta=True)["tier"] == "redis"
    b.get("k", ns="short")
    until(lambda: b.get("k", ns="short", meta=True)["tier"] == "memory")
    until(lambda: b.get("k", ns="short", meta=True)["tier"] == "redis")


def test_verify_has_no_proof_before_the_first(start_host: StartHost, own_redis: RedisServer) -> None:
    own_redis.kill()
    a = start_host("namespaces: {v: {on_link_loss: verify}}")
    assert a.set("k", 1, ns="v") == QUEUED
    assert a.get("k", ns="v") == MISS
    assert a.get("k", ns="v", lease=True)["hit"] is False
    own_redis.start_again()
    a.until_up()
    # What ran without Redis is not known to be current: it is dropped, and told as a delete.
    assert a.set("k", 2, ns="v") == STORED
    until(lambda: a.get("k", ns="v").get("value") == 2)


def test_what_was_a_hosts_own_is_not_taken_for_shared(start_host: StartHost) -> None:
    a, b = (start_host("namespaces: {q: {tiers: [memory]}}") for _ in range(2))
    for host in (a, b):
        host.until_up()
    assert a.set("k", "own") == STORED
    for host in (a, b):
        host.ask("policy", ns="q", set={"tiers": ["memory", "redis"]})
    assert a.get("k") == MISS
    assert b.set("k", "shared") == STORED
    a.catch_up(b)
    assert a.get("k")["value"] == "shared"
    a.ask("policy", ns="q", set={"tiers": ["memory"]})
    assert a.get("k") == MISS
