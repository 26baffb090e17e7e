"""Write-behind: answered from memory, in Redis with the next batch, in each key's order, and nothing of it lost."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from behind import MISS, NEVER, QUEUED, STORED, behind, configured, end, in_redis, pending
from sidecars import Host, StartHost, until
from talk import code, parsed, request

if TYPE_CHECKING:
    from conftest import StartDaemon
    from redis_server import RedisServer

MANY = 5000


@pytest.fixture
def host(start_host: StartHost) -> Host:
    """One that tells Redis of nothing by itself."""
    host = start_host(behind(NEVER))
    host.until_up()
    return host


def test_a_set_is_answered_before_redis_has_it(host: Host, own_redis: RedisServer) -> None:
    assert host.set("k", 1) == STORED
    assert host.get("k", meta=True)["tier"] == "memory"
    assert in_redis(own_redis) is None
    assert pending(host)["pending"] == 1
    assert pending(host)["oldest"] >= 0
    # What Redis has is not read meanwhile.
    assert host.get("k", strict=True) == MISS
    assert host.ask("explain", ns="q", key="k")["state"] == "fresh"


def test_redis_has_it_after_the_interval(start_host: StartHost, own_redis: RedisServer) -> None:
    a, b = (start_host(behind("behind: {interval: 50ms}")) for _ in range(2))
    for host in (a, b):
        host.until_up()
    sets = a.ask("stats", ns="q")["namespaces"]["q"]["sets"]
    for number in range(10):
        assert a.set("k", number) == STORED
    until(lambda: in_redis(own_redis) == "9")
    until(lambda: pending(a) == {"pending": 0, "oldest": None, "waiting": 0, "sent": 1, "conflicts": 0})
    a.catch_up(a)
    # It is the value that was set, and was never away.
    assert a.get("k", meta=True)["tier"] == "memory"
    counters = a.ask("stats", ns="q")["namespaces"]["q"]
    assert (counters["sets"], counters["deletes"], counters["misses"]) == (sets + 10, 0, 0)
    b.catch_up(a)
    assert b.get("k") == {"ok": True, "hit": True, "value": 9}
    assert b.get("k", meta=True)["version"] == a.get("k", meta=True)["version"]


def test_a_key_that_is_set_again_and_again_is_told_all_the_same(start_host: StartHost, own_redis: RedisServer) -> None:
    host = start_host(behind("behind: {interval: 20ms}"))
    host.until_up()
    seen: set[str | None] = set()
    numbers = iter(range(1_000_000))

    def told() -> bool:
        assert host.set("k", next(numbers)) == STORED
        assert host.get("k")["hit"]
        seen.add(in_redis(own_redis))
        return len(seen) > 5

    until(told)


def test_a_delete_goes_at_once_and_takes_its_place(host: Host, own_redis: RedisServer) -> None:
    for key in ("k", "other"):
        assert host.set(key, 1) == STORED
    assert host.ask("delete", ns="q", key="k") == {"ok": True, "deleted": 1}
    assert host.get("k") == MISS
    assert pending(host)["pending"] == 1
    assert host.ask("delete", ns="q", key="other", soft=True)["deleted"] == 1
    assert host.get("other", stale=True) == MISS
    assert pending(host)["pending"] == 0
    assert in_redis(own_redis) is None


@pytest.mark.parametrize("fields", [{}, {"match": "k*"}, {"tags": ["t"]}, {"soft": True}])
def test_a_clear_takes_what_waits(start_host: StartHost, own_redis: RedisServer, fields: dict[str, Any]) -> None:
    host = start_host(behind("behind: {interval: 100ms}"))
    host.until_up()
    assert host.set("k", 1, tags=["t"]) == STORED
    assert host.ask("clear", ns="q", **fields) == {"ok": True, "cleared": 1}
    assert host.get("k") == MISS
    assert host.set("after", 2) == STORED
    until(lambda: in_redis(own_redis, "after") == "2")
    until(lambda: pending(host)["pending"] == 0)
    assert in_redis(own_redis) is None
    assert host.get("k") == MISS
    assert host.get("after")["value"] == 2


def test_what_depends_on_redis_comes_after_what_waits(host: Host, own_redis: RedisServer) -> None:
    assert host.set("k", 1) == STORED
    assert host.ask("touch", ns="q", key="k", ttl=100) == {"ok": True, "touched": True}
    assert in_redis(own_redis) == "1"
    assert host.get("k", meta=True)["ttl"] > 90
    assert host.set("k", 2) == STORED
    absent: dict[str, Any] = {"if": "absent"}
    assert host.set("k", 3, **absent) == {"ok": True, "stored": False, "reason": "exists"}
    present: dict[str, Any] = {"if": "present"}
    assert host.set("k", 4) == STORED
    assert host.set("k", 5, **present) == STORED
    assert host.get("k")["value"] == 5
    assert in_redis(own_redis) == "5"
    assert pending(host)["pending"] == 0


def test_a_mode_that_stores_nothing_deletes(host: Host, own_redis: RedisServer) -> None:
    assert host.set("k", 1) == STORED
    host.ask("policy", ns="q", set={"mode": "bypass"})
    assert host.set("k", 2) == {"ok": True, "stored": False, "reason": "disabled"}
    assert pending(host)["pending"] == 0
    host.ask("policy", ns="q", set={"mode": "on"})
    assert host.get("k") == MISS
    assert in_redis(own_redis) is None


def test_another_host_s_change_is_newer(start_host: StartHost) -> None:
    a = start_host(behind(NEVER))
    b = start_host()
    for host in (a, b):
        host.until_up()
    assert a.set("k", "behind") == STORED
    assert a.set("kept", "behind") == STORED
    assert b.set("k", "newer") == STORED
    a.catch_up(b)
    # It is masked still, as what is to be told of it is a delete now.
    assert a.get("k") == MISS
    assert a.get("kept")["value"] == "behind"
    assert b.get("k")["value"] == "newer"


def test_the_last_writer_wins_whatever_it_does(start_host: StartHost, own_redis: RedisServer) -> None:
    """Sets and deletes in quick succession, many batches amid them: in the end Redis has what was asked last."""
    host = start_host(behind("behind: {interval: 2ms}"))
    host.until_up()
    chance = random.Random(1)
    wanted: dict[str, str | None] = {}
    for number in range(6000):
        key = f"k{chance.randrange(700)}"
        if chance.random() < 0.3:
            host.peer.send(request("delete", ns="q", key=key))
            wanted[key] = None
        else:
            host.peer.send(request("set", ns="q", key=key, value=number))
            wanted[key] = str(number)
        if number % 50 == 49:
            host.peer.receive_lines(50)
    until(lambda: pending(host)["pending"] == 0)
    assert {key: in_redis(own_redis, key) for key in wanted} == wanted
    host.catch_up(host)
    for key, value in wanted.items():
        assert host.get(key) == (MISS if value is None else {"ok": True, "hit": True, "value": int(value)})


def test_two_hosts_agree_afterwards(start_host: StartHost) -> None:
    hosts = [start_host(behind("behind: {interval: 2ms}")) for _ in range(2)]
    for host in hosts:
        host.until_up()
    chance = random.Random(2)
    for number in range(4000):
        host = hosts[number % 2]
        key = f"k{chance.randrange(200)}"
        if chance.random() < 0.2:
            host.ask("delete", ns="q", key=key)
        else:
            host.set(key, number)
    until(lambda: all(pending(host)["pending"] == 0 for host in hosts))
    for host, other in (hosts, hosts[::-1]):
        host.catch_up(other)
    for number in range(200):
        assert hosts[0].get(f"k{number}") == hosts[1].get(f"k{number}")


def test_broken_connections_lose_nothing(start_host: StartHost, own_redis: RedisServer) -> None:
    """What was under way may have been carried out or not: it is sent again under its guard, and stands in the end."""
    host = start_host(behind("behind: {interval: 1ms}"))
    host.until_up()
    wanted: dict[str, str] = {}
    for number in range(3000):
        wanted[f"k{number % 500}"] = str(number)
        host.peer.send(request("set", ns="q", key=f"k{number % 500}", value=number))
        if number % 100 == 99:
            answers = [parsed(line) for line in host.peer.receive_lines(100)]
            assert all(answer in (STORED, QUEUED) for answer in answers)
        if number % 300 == 299:
            own_redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert host.get(f"k{number % 500}")["value"] == number
    own_redis.signal(signal.SIGSTOP)
    host.set("last", 1)
    until(lambda: host.redis()["state"] != "up")
    own_redis.signal(signal.SIGCONT)
    until(lambda: pending(host)["pending"] == 0)
    assert {key: in_redis(own_redis, key) for key in wanted} == wanted
    assert in_redis(own_redis, "last") == "1"
    assert host.redis()["log"]["gaps"] == 0
    for key, value in wanted.items():
        assert host.get(key)["value"] == int(value)


def test_a_writer_waits_for_room(start_host: StartHost, own_redis: RedisServer) -> None:
    host = start_host(behind("behind: {interval: 1h, max_pending: 100}"))
    host.until_up()
    # Redis takes commands, and answers none for now: not for long enough to be given up.
    own_redis.signal(signal.SIGSTOP)
    for number in range(100):
        host.peer.send(request("set", id=number, ns="q", key=f"k{number}", value=number))
        assert parsed(host.peer.receive()) == {"id": number, **STORED}
    for number in range(100, 250):
        host.peer.send(request("set", id=number, ns="q", key=f"k{number}", value=number))
    assert pending(host)["waiting"] == 150
    assert pending(host)["pending"] == 100
    # One of them has not happened yet; a delete is as if it came after.
    assert host.get("k249") == MISS
    own_redis.signal(signal.SIGCONT)
    answers = [parsed(host.peer.receive()) for _ in range(150)]
    assert sorted(answer.pop("id") for answer in answers) == list(range(100, 250))
    assert all(answer == STORED for answer in answers)
    assert pending(host)["waiting"] == 0
    # Those for whom there was room at last wait for the interval, as any.
    assert 0 < pending(host)["pending"] <= 100
    assert host.get("k249")["value"] == 249


def test_redis_has_all_of_it_when_the_process_ends(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemon = start_daemon(configured(own_redis), flags=())
    with daemon.connect() as peer:
        host = Host(peer)
        host.until_up()
        for first in range(0, MANY, 500):
            items = [{"key": f"k{number}", "value": number} for number in range(first, first + 500)]
            answer = host.ask("set", ns="q", items=items)
            assert answer == {"ok": True, "items": [{"stored": True}] * 500}
        assert pending(host)["pending"] == MANY
        end(daemon)
    for number in range(MANY):
        assert in_redis(own_redis, f"k{number}") == str(number)
    assert not daemon.socket.with_name("pannier.sock.queue").exists()


def test_those_who_wait_are_answered_when_the_process_ends(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemon = start_daemon(configured(own_redis, "behind: {interval: 1h, max_pending: 10}"), flags=())
    with daemon.connect() as peer:
        host = Host(peer)
        host.until_up()
        for number in range(1000):
            peer.send(request("set", id=number, ns="q", key=f"k{number}", value=number))
        daemon.signal(signal.SIGTERM)
        answers = [parsed(line) for line in peer.receive_all()]
    assert daemon.wait() == 0
    stored = [answer["id"] for answer in answers if answer.get("stored")]
    assert stored
    for number in stored:
        assert in_redis(own_redis, f"k{number}") == str(number)


def test_a_full_redis_loses_nothing(start_host: StartHost, own_redis: RedisServer) -> None:
    host = start_host(behind("behind: {interval: 1ms}"))
    host.until_up()
    own_redis.call("CONFIG", "SET", "maxmemory", 1)
    assert host.set("k", 1) == STORED
    until(lambda: host.redis()["errors"].get("OOM", 0) >= 2)
    assert host.get("k")["value"] == 1
    own_redis.call("CONFIG", "SET", "maxmemory", 0)
    until(lambda: in_redis(own_redis) == "1")
    assert host.get("k")["value"] == 1


def test_many_writers_and_a_small_queue(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemon = start_daemon(configured(own_redis, "behind: {interval: 1ms, max_pending: 3}"), flags=())
    with daemon.connect() as peer:
        Host(peer).until_up()

        def write(writer: int) -> None:
            with daemon.connect() as mine:
                for number in range(200):
                    assert Host(mine).set(f"{writer}:{number % 20}", number) == STORED

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(5)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join()
        until(lambda: pending(Host(peer))["pending"] == 0)
        for writer in range(5):
            for number in range(180, 200):
                assert in_redis(own_redis, f"{writer}:{number % 20}") == str(number)


def test_without_redis_nobody_waits(start_host: StartHost, own_redis: RedisServer) -> None:
    host = start_host(behind("behind: {interval: 1h, max_pending: 5}"))
    host.until_up()
    own_redis.kill()
    until(lambda: host.redis()["state"] != "up")
    for number in range(20):
        assert host.set(f"k{number}", number) == QUEUED
        assert host.get(f"k{number}")["value"] == number
    assert (pending(host)["pending"], host.redis()["queue"]["depth"]) == (5, 15)
    assert code(host.peer.ask(request("touch", ns="q", key="k1"))) == "tier_unavailable"
