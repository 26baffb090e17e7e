"""What can be seen of sidecars and their Redis: why a key is there, what the link does, what is unproven."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import schemas
from relay import Relay
from sidecars import MOST_SECONDS, Host, StartHost, until
from talk import parsed, request

if TYPE_CHECKING:
    from redis_server import RedisServer

STORED = {"ok": True, "stored": True}
QUEUED = {"ok": True, "stored": True, "redis": "queued"}
NAME = "pannier:q:k"


def explain(host: Host, key: str = "k", ns: str = "q") -> dict[str, Any]:
    return host.ask("explain", ns=ns, key=key)


def absent(redis: str, reason: str = "never_stored") -> dict[str, Any]:
    return {"ok": True, "state": "absent", "reason": reason, "redis": redis}


def test_explain_tells_of_what_redis_has(start_host: StartHost) -> None:
    a, b = (start_host("namespaces: {q: {stale: 60s}}") for _ in range(2))
    for host in (a, b):
        host.until_up()
    assert explain(b) == absent("absent")
    assert a.set("k", {"n": 1}, tags=["t"], ttl=60) == STORED
    own = explain(a)
    assert (own["tier"], own["state"]) == ("memory", "fresh")
    far = explain(b)
    assert {name: far[name] for name in ("state", "tier", "tags", "version", "size")} == {
        **{name: own[name] for name in ("tags", "version", "size")},
        "state": "fresh",
        "tier": "redis",
    }
    assert 59 < far["ttl"] <= 60
    assert far["age"] < MOST_SECONDS
    # It has looked, and kept nothing; only a read does.
    assert explain(b)["tier"] == "redis"
    assert b.ask("stats", ns="q")["namespaces"]["q"]["entries"] == 0
    assert b.get("k")["hit"]
    assert explain(b)["tier"] == "memory"
    a.ask("delete", ns="q", key="k", soft=True)
    c = start_host("namespaces: {q: {stale: 60s}}")
    c.until_up()
    soft = explain(c)
    assert (soft["state"], soft["tier"], soft["ttl"]) == ("stale", "redis", 0)


def test_explain_names_what_is_no_value(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    assert a.set("k", "x" * 10_000) == STORED
    value = own_redis.call("GET", NAME)
    assert isinstance(value, bytes)
    own_redis.call("SET", NAME.replace(":k", ":other"), value, "PX", 60_000)
    assert explain(b, "other") == absent("other_key")
    a.ask("clear", ns="q")
    b.catch_up(a)
    until(lambda: own_redis.call("EXISTS", NAME) == 0)
    own_redis.call("SET", NAME, value, "PX", 60_000)
    for host, reason in ((a, "cleared"), (b, "never_stored")):
        found = explain(host)
        assert (found["state"], found["reason"], found["redis"]) == ("absent", reason, "void")
        assert not host.get("k")["hit"]
    own_redis.call("SET", NAME, value.replace(b'"pannier":1', b'"pannier":9'), "PX", 60_000)
    assert explain(b) == absent("format")
    own_redis.call("SET", NAME, "somebody else's")
    assert explain(b) == absent("foreign")
    own_redis.call("DEL", NAME)
    own_redis.call("LPUSH", NAME, 1)
    assert explain(b) == absent("foreign")


def test_explain_says_that_redis_can_t_be_asked(hosts: tuple[Host, Host], own_redis: RedisServer) -> None:
    a, b = hosts
    assert a.set("k", 1) == STORED
    own_redis.signal(signal.SIGSTOP)
    began = time.monotonic()
    assert explain(b) == absent("timeout")
    assert time.monotonic() - began < MOST_SECONDS
    until(lambda: explain(b) == absent("unavailable"))
    assert explain(a)["tier"] == "memory"
    until(lambda: a.set("k", 2) == QUEUED and a.redis()["state"] != "up")
    # Memory answers of what it has; of what a change waits for, Redis isn't asked.
    assert a.ask("delete", ns="q", key="gone")["redis"] == "queued"
    assert explain(a, "gone") == absent("queued")
    own_redis.signal(signal.SIGCONT)


def test_explain_of_several_is_answered_in_order(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    assert a.set("k", 1) == STORED
    lines = [request("explain", ns="q", key=key) for key in ("k", "none", "k")]
    b.peer.send("\n".join([*lines, request("ping"), request("explain", ns="q", key="k", id=1)]))
    answers = [parsed(line) for line in b.peer.receive_lines(5)]
    assert [answer.get("state") for answer in answers if "id" not in answer] == ["fresh", "absent", "fresh", None]
    assert [answer["state"] for answer in answers if "id" in answer] == ["fresh"]


def test_a_namespace_that_memory_is_no_tier_of_is_explained_by_redis(start_host: StartHost) -> None:
    a = start_host("namespaces: {far: {tiers: [redis]}, own: {tiers: [memory]}}")
    a.until_up()
    assert a.set("k", 1, ns="far") == STORED
    assert a.get("k", ns="far")["hit"]
    assert explain(a, ns="far")["tier"] == "redis"
    assert explain(a, ns="own") == {"ok": True, "state": "absent", "reason": "never_stored"}


def event(host: Host) -> dict[str, Any]:
    found = parsed(host.peer.receive())
    assert schemas.faults("event", found) == []
    return found


def events_until(host: Host, state: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    while not told or told[-1].get("state") != state:
        told.append(event(host))
    return told


def test_who_watches_is_told_of_the_link(start_host: StartHost, own_redis: RedisServer) -> None:
    a = start_host()
    a.until_up()
    # Of every namespace, and in every share.
    assert a.ask("watch", ns="none", events=["redis"], sample=0) == {"ok": True, "watching": True}
    own_redis.kill()
    (down,) = events_until(a, "down")
    assert down["reason"]
    assert [told["state"] for told in events_until(a, "down")] == ["connecting", "down"]
    own_redis.start_again()
    states = [told.get("state") for told in events_until(a, "up")]
    assert states[-2:] == ["joining", "up"]
    # It came back empty.
    assert event(a) == {"event": "redis", "gap": True}
    own_redis.signal(signal.SIGSTOP)
    for number in range(20):
        a.peer.send(request("get", ns="q", key=f"k{number}", id=number))
    # Between the answers.
    told = parsed(a.peer.receive())
    while told.get("event") != "redis":
        told = parsed(a.peer.receive())
    own_redis.signal(signal.SIGCONT)
    assert told["state"] == "suspended"
    assert told["reason"]


def test_what_is_served_unproven_is_counted(start_host: StartHost, own_redis: RedisServer) -> None:
    a = start_host("namespaces: {v: {on_link_loss: verify}}\ncoherence: {bound: 500ms, beat: 100ms}")

    def unproven(ns: str = "q") -> int:
        counted: int = a.ask("stats", ns=ns)["namespaces"][ns]["unproven"]
        return counted

    a.until_up()
    until(lambda: a.redis()["log"]["proven"] is not None)
    assert a.redis()["log"]["bound"] == 0.5
    for ns in ("q", "v"):
        assert a.set("k", 1, ns=ns) == STORED
        assert a.get("k", ns=ns)["hit"]
    assert (unproven(), unproven("v")) == (0, 0)
    own_redis.signal(signal.SIGSTOP)
    until(lambda: a.get("k")["hit"] and unproven() > 0)
    before = unproven()
    for _ in range(10):
        assert a.get("k")["value"] == 1
    assert unproven() == before + 10
    assert a.get("k", ns="v") == {"ok": True, "hit": False}
    own_redis.signal(signal.SIGCONT)
    a.until_up()
    until(lambda: (a.redis()["log"]["proven"] or 1) < 0.2)
    assert a.get("k", ns="v", meta=True)["tier"] == "memory"
    at_end = unproven()
    for _ in range(10):
        assert a.get("k")["value"] == 1
    assert (unproven(), unproven("v")) == (at_end, 0)
    assert a.redis()["unproven"] == at_end


def test_what_was_proven_for_its_reader_is_not_unproven(start_host: StartHost, own_redis: RedisServer) -> None:
    with Relay(own_redis.socket) as relay:
        a = start_host("coherence: {bound: 500ms, beat: 100ms}", redis=f"redis: {relay.url}")
        a.until_up()
        until(lambda: a.redis()["log"]["proven"] is not None)
        assert a.set("k", 1) == STORED
        relay.hold("pannier-log")
        until(lambda: a.get("k")["hit"] and a.redis()["unproven"] > 0)
        before = a.redis()["unproven"]
        for _ in range(10):
            assert a.get("k", strict=True)["value"] == 1
        assert a.redis()["unproven"] == before
        assert a.get("k")["value"] == 1
        assert a.redis()["unproven"] == before + 1
        relay.release()


def test_failing_connections_are_counted_by_kind(start_host: StartHost, own_redis: RedisServer) -> None:
    a = start_host()
    a.until_up()
    own_redis.kill()
    until(lambda: {"lost", "unreachable"} <= a.redis()["errors"].keys())
