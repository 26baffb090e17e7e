"""Redis's bad days: whatever becomes of it no reader gets an error, and afterwards every host shows the same."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from redis_server import RedisServer
from redis_troubles import (
    FLAGS,
    PASSWORD,
    Place,
    Trouble,
    asleep,
    black_hole,
    black_hole_for_commands,
    busy,
    end_connections,
    full,
    killed,
    loading,
    stopped,
    with_another_password,
)
from relay import Relay
from sidecars import Host, StartHost, until
from talk import parsed, request

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from conftest import StartDaemon

STORED = {"ok": True, "stored": True}
QUEUED = {"ok": True, "stored": True, "redis": "queued"}
MISS = {"ok": True, "hit": False}
KEYS = [f"k{number}" for number in range(20)]


# Of a proof: times are told in whole milliseconds.
ROUNDING_SECONDS = 0.002
CLOSED_ON_EXEC = 0o2000000
# For what takes 2 s.
PATIENCE_SECONDS = 20.0


@dataclass
class Scene(Place):
    a: Host
    b: Host


@pytest.fixture
def scene(start_host: StartHost) -> Generator[Scene]:
    """Two hosts, the first behind a relay, and values that both have in memory."""
    with ExitStack() as open_ones:
        server = open_ones.enter_context(RedisServer(*FLAGS, password=PASSWORD))
        relay = open_ones.enter_context(Relay(server.socket))
        a, b = (start_host(redis=f"redis: {{url: '{url}', password: {PASSWORD}}}") for url in (relay.url, server.url))
        for host in (a, b):
            host.until_up()
        for key in KEYS:
            assert a.set(key, "old") == STORED
        b.catch_up(a)
        for key in KEYS:
            assert b.get(key)["value"] == "old"
        yield Scene(server, relay, a, b)


AWAY: list[Trouble] = [
    killed, stopped, asleep, busy, with_another_password, loading, black_hole, black_hole_for_commands,
]  # fmt: skip


@pytest.mark.parametrize("trouble", [*AWAY, full])
def test_no_reader_gets_an_error_and_afterwards_all_agree(scene: Scene, trouble: Trouble) -> None:
    a, b = scene.a, scene.b
    with trouble(scene):
        until(lambda: a.set(KEYS[0], "new") == QUEUED)
        assert a.get(KEYS[0]) in (MISS, {"ok": True, "hit": True, "value": "new"})
        assert a.ask("delete", ns="q", key=KEYS[1])["deleted"] == 1
        assert a.get(KEYS[1]) == MISS
        for number, key in enumerate(KEYS[2:]):
            assert a.get(key)["value"] == "old"
            assert a.get(f"none{number}") == MISS
            assert b.get(key)["value"] == "old"
    for host in (a, b):
        host.until_up()
    until(lambda: all(host.redis()["queue"]["depth"] == 0 for host in (a, b)))
    # Written on either, and shown by the other.
    until(lambda: a.set("from a", 1) == STORED)
    until(lambda: b.set("from b", 2) == STORED)
    until(lambda: (b.get("from a").get("value"), a.get("from b").get("value")) == (1, 2))
    a.catch_up(b)
    b.catch_up(a)
    for key in KEYS:
        assert a.get(key) == b.get(key)
    assert a.get(KEYS[0]) in (MISS, {"ok": True, "hit": True, "value": "new"})
    assert a.get(KEYS[1]) == MISS
    for host in (a, b):
        stats = host.ask("stats")
        assert sum(stats["errors"].values()) == 0
        assert stats["redis"]["queue"]["queued"] == stats["redis"]["queue"]["replayed"]
        assert "reason" not in stats["redis"]


@pytest.mark.parametrize("trouble", AWAY)
def test_what_is_not_there_costs_nothing_once_that_is_known(scene: Scene, trouble: Trouble) -> None:
    with trouble(scene):
        numbers = iter(range(1_000_000))
        until(lambda: scene.a.get(f"none{next(numbers)}") == MISS and scene.a.redis()["state"] != "up")
        before = scene.a.redis()
        for _ in range(50):
            assert scene.a.get(f"none{next(numbers)}") == MISS
        after = scene.a.redis()
        if after["state"] != "up":
            assert after["timeouts"] == before["timeouts"]
            assert after["in_flight"] <= before["in_flight"]
    scene.a.until_up()


def test_a_redis_that_answers_each_late_is_left_alone(scene: Scene) -> None:
    """It answers between two commands that keep it, so that failures are never five in a row."""
    is_over = threading.Event()

    def keep_it() -> None:
        while not is_over.is_set():
            scene.redis.call("DEBUG", "SLEEP", "0.15")

    thread = threading.Thread(target=keep_it)
    thread.start()
    try:
        numbers = iter(range(1_000_000))
        until(lambda: scene.a.get(f"none{next(numbers)}") == MISS and scene.a.redis()["state"] == "suspended")
        assert scene.a.get(KEYS[0])["value"] == "old"
    finally:
        is_over.set()
        thread.join()
    scene.a.until_up()
    until(lambda: scene.a.set(KEYS[0], "new") == STORED)


def test_a_redis_that_falls_silent_while_it_is_joined_is_left(start_host: StartHost, tmp_path: Path) -> None:
    path = tmp_path / "mute.sock"
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as open_ones:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(PATIENCE_SECONDS)
        host = start_host(redis=f"redis: {{url: 'unix://{path}', timeout: 1ms}}")
        for _ in range(2):
            # The next comes when this one was given up.
            end = open_ones.enter_context(listener.accept()[0])
            assert b"SETNAME" in end.recv(1 << 16)
            end.sendall(b"+OK\r\n")
            assert b"INFO" in end.recv(1 << 16)
            assert host.set("k", 1) == QUEUED
            assert host.get("k")["value"] == 1
        assert "no answer for" in host.redis()["reason"]


@pytest.mark.parametrize("name", ["pannier", "pannier-log"])
def test_a_connection_that_is_killed_comes_back_and_no_other_goes(scene: Scene, name: str) -> None:
    a, b = scene.a, scene.b
    until(lambda: all(len(scene.redis.connections(each)) == 2 for each in ("pannier", "pannier-log")))
    before, commands = scene.redis.connections(name), scene.redis.connections("pannier")
    end_connections(scene, name)
    until(lambda: len(scene.redis.connections(name) - before) == 2)
    if name == "pannier-log":
        assert scene.redis.connections("pannier") == commands
        assert a.set(KEYS[0], "new") == STORED
    else:
        until(lambda: a.set(KEYS[0], "new") == STORED)
    b.catch_up(a)
    assert b.get(KEYS[0])["value"] == "new"
    assert [host.redis()["log"]["gaps"] for host in (a, b)] == [0, 0]


def test_a_walk_whose_connection_is_killed_goes_on(scene: Scene) -> None:
    a = scene.a
    for tag in ("first", "second"):
        a.set("tagged", 1, tags=[tag])
        a.ask("clear", ns="q", tags=[tag])
        until(lambda: a.redis()["walk"]["namespaces"] == 0)
        end_connections(scene, "pannier-walk")
    assert a.redis()["walk"]["removed"] == 2


@pytest.mark.parametrize("name", ["pannier:~floor", "pannier:~log", "pannier:~hosts", "pannier:~groups:q"])
def test_what_redis_drops_of_the_log_is_noticed(scene: Scene, name: str) -> None:
    """As `allkeys-lru` drops it where Redis is full."""
    a, b = scene.a, scene.b
    a.ask("clear", ns="q", tags=["t"])
    b.catch_up(a)
    scene.redis.call("DEL", name)
    until(lambda: a.set(KEYS[0], "new") == STORED)
    until(lambda: b.get(KEYS[0]).get("value") == "new")
    until(lambda: b.set(KEYS[1], "newer") == STORED)
    until(lambda: a.get(KEYS[1]).get("value") == "newer")
    assert [sum(host.ask("stats")["errors"].values()) for host in (a, b)] == [0, 0]


def test_a_redis_that_may_drop_the_log_is_warned_of(start_host: StartHost) -> None:
    with RedisServer("--maxmemory-policy", "allkeys-lru") as server:
        without_bound = start_host(redis=f"redis: {server.url}")
        without_bound.until_up()
        assert "eviction" not in without_bound.redis()
        server.call("CONFIG", "SET", "maxmemory", "64mb")
        bounded = start_host(redis=f"redis: {server.url}")
        bounded.until_up()
        assert bounded.redis()["eviction"] == "allkeys-lru"


@pytest.mark.parametrize("held", [("pannier-log",), ("pannier",), ()])
def test_verify_shows_nothing_older_than_the_bound(start_host: StartHost, held: tuple[str, ...]) -> None:
    bound = 0.5
    more = "namespaces: {v: {on_link_loss: verify}}\ncoherence: {bound: 500ms, beat: 100ms}"
    with RedisServer() as server, Relay(server.socket) as relay:
        a, b = (start_host(more, redis=f"redis: {url}") for url in (relay.url, server.url))
        for host in (a, b):
            host.until_up()
        assert a.set("k", "old", ns="v") == STORED
        until(lambda: a.get("k", ns="v", meta=True)["tier"] == "memory")
        relay.hold(*held)
        assert b.set("k", "new", ns="v") == STORED
        written = time.monotonic()
        while True:
            asked = time.monotonic()
            answer = a.get("k", ns="v")
            if answer.get("value") != "old":
                break
            assert asked - written < bound + ROUNDING_SECONDS
        # Where commands go through each read is proven by itself.
        assert answer == MISS or answer["value"] == "new"
        if held == ("pannier-log",):
            assert a.get("k", ns="v")["value"] == "new"
            assert a.set("other", 1, ns="v") == STORED
            assert a.redis()["state"] == "up"
            until(lambda: "log" in a.redis().get("reason", "") or "not ready" in a.redis().get("reason", ""))
        relay.release()
        until(lambda: a.get("k", ns="v").get("value") == "new")
        until(lambda: "reason" not in a.redis())
        assert a.redis()["log"]["gaps"] == 0


def test_a_host_that_stood_still_proves_its_first_answer(start_host: StartHost, start_daemon: StartDaemon) -> None:
    """It is asked before its timers have seen how much time has passed."""
    more = "namespaces: {v: {on_link_loss: verify}}\ncoherence: {bound: 500ms, beat: 100ms}"
    with RedisServer() as server, Relay(server.socket) as relay:
        daemon = start_daemon(f"redis: {relay.url}\ndefaults: {{jitter: 0}}\n{more}", flags=())
        b = start_host(more, redis=f"redis: {server.url}")
        with daemon.connect() as peer:
            a = Host(peer)
            for host in (a, b):
                host.until_up()
            assert a.set("k", "old", ns="v") == STORED
            until(lambda: a.get("k", ns="v", meta=True)["tier"] == "memory")
            # What it is asked it reads before anything of the log.
            relay.hold("pannier-log")
            daemon.signal(signal.SIGSTOP)
            stopped_at = time.monotonic()
            assert b.set("k", "new", ns="v") == STORED
            peer.send(request("get", ns="v", key="k"))
            until(lambda: b.redis()["state"] == "up" and time.monotonic() - stopped_at > 0.6)
            daemon.signal(signal.SIGCONT)
            assert parsed(peer.receive()) == {"ok": True, "hit": True, "value": "new"}
            relay.release()


def test_serve_goes_on_with_what_it_has(start_host: StartHost) -> None:
    with RedisServer() as server, Relay(server.socket) as relay:
        a, b = (start_host(redis=f"redis: {url}") for url in (relay.url, server.url))
        for host in (a, b):
            host.until_up()
        assert a.set("k", "old") == STORED
        relay.hold("pannier-log")
        assert b.set("k", "new") == STORED
        until(lambda: a.redis()["log"]["proven"] > 1.0)
        assert a.get("k")["value"] == "old"
        relay.release()
        until(lambda: a.get("k").get("value") == "new")
        assert a.redis()["log"]["gaps"] == 0


@pytest.mark.parametrize(
    "payload", [b"{", b'"\xff"', b"1 2", b" 1", b"1\r", b"[" * 500 + b"]" * 500, b'"\x00"', b"nul"]
)
def test_a_payload_that_is_no_value_is_a_miss_and_a_counter(
    hosts: tuple[Host, Host], own_redis: RedisServer, payload: bytes
) -> None:
    a, b = hosts
    assert a.set("k", 1) == STORED
    value = own_redis.call("GET", "pannier:q:k")
    assert isinstance(value, bytes)
    line, _, _ = value.partition(b"\n")
    line = line.replace(b'"bytes":1,', b'"bytes":%d,' % len(payload))
    own_redis.call("SET", "pannier:q:k", line + b"\n" + payload, "PX", 60_000)
    b.catch_up(a)
    assert b.get("k") == MISS
    assert b.ask("get", ns="q", keys=["k", "none"])["items"] == [{"hit": False}] * 2
    assert b.redis()["errors"] == {"payload": 2}
    assert b.set("k", 2) == STORED
    a.catch_up(b)
    assert a.get("k")["value"] == 2


def test_no_descriptor_is_left_to_what_the_process_starts(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemon = start_daemon(f"redis: {own_redis.url}", flags=())
    with daemon.connect() as peer:
        host = Host(peer)
        until(lambda: host.redis()["log"]["proven"] is not None)
        assert parsed(peer.ask('{"op":"clear","ns":"q"}'))["ok"]
        until(lambda: own_redis.text("CLIENT", "LIST") is not None)
        for number in os.listdir(f"/proc/{daemon.pid}/fdinfo"):
            if int(number) > 2:
                with open(f"/proc/{daemon.pid}/fdinfo/{number}", encoding="ascii") as file:
                    flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
                assert flags & CLOSED_ON_EXEC, os.readlink(f"/proc/{daemon.pid}/fd/{number}")
