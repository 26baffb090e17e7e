"""`lease_scope: fleet` between sidecars on one Redis: one load a key, whoever asks, and whoever dies."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from sidecars import Host, until
from talk import parsed, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartDaemon
    from daemon import Daemon
    from peer import Peer
    from redis_server import RedisServer
    from sidecars import StartHost

FLEET = """\
namespaces:
  f: {lease_scope: fleet, lease_timeout: 60s, retry_after: 60s}
  quick: {lease_scope: fleet, lease_timeout: 1s}
"""
CALLERS = 20
ASKED = request("get", ns="f", key="cold", lease=True, wait=30)
STORED = {"ok": True, "stored": True}


class Crowd:
    """Connections to one sidecar, all of which ask for one key."""

    def __init__(self, daemon: Daemon, peers: ExitStack, line: str = ASKED, count: int = CALLERS) -> None:
        self.peers = [peers.enter_context(daemon.connect()) for _ in range(count)]
        for peer in self.peers:
            peer.send(line)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack) -> tuple[Daemon, Host]:
    daemon = start_daemon(f"redis: {own_redis.url}\ndefaults: {{jitter: 0}}\n{FLEET}", flags=())
    host = Host(peers.enter_context(daemon.connect()))
    host.until_up()
    return daemon, host


def answered(crowd: list[Peer]) -> tuple[Peer, str]:
    """The one that is to load, and its token; the others are told nothing."""
    found: list[tuple[Peer, str]] = []

    def look() -> bool:
        found.extend((peer, parsed(line)["lease"]) for peer in crowd if (line := peer.available()))
        return bool(found)

    until(look)
    assert len(found) == 1
    return found[0]


def claims(host: Host, ns: str = "f") -> dict[str, int]:
    counted: dict[str, int] = host.ask("stats", ns=ns)["namespaces"][ns]["claims"]
    return counted


def waiting(host: Host, ns: str = "f") -> int:
    namespaces = host.ask("stats", ns=ns)["namespaces"]
    now: int = namespaces[ns]["waits"]["now"] if ns in namespaces else 0
    return now


def until_waiting(hosts: list[Host], count: int) -> None:
    until(lambda: sum(map(waiting, hosts)) == count)


def until_not_up(host: Host) -> None:
    until(lambda: host.redis()["state"] != "up")


def test_three_hosts_load_a_cold_key_once(start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack) -> None:
    sides = [start(start_daemon, own_redis, peers) for _ in range(3)]
    crowd = [peer for daemon, _ in sides for peer in Crowd(daemon, peers).peers]
    holder, token = answered(crowd)
    # All others wait, on whichever host.
    until_waiting([host for _, host in sides], 3 * CALLERS - 1)
    assert sum(claims(host)["won"] for _, host in sides) == 1
    assert sum(claims(host)["elsewhere"] for _, host in sides) == 2
    stored = parsed(holder.ask(request("set", ns="f", key="cold", lease=token, value="loaded")))
    assert stored == STORED
    for peer in crowd:
        if peer is not holder:
            assert parsed(peer.receive()) == {"ok": True, "hit": True, "value": "loaded"}
    assert sum(claims(host)["won"] for _, host in sides) == 1
    assert own_redis.call("EXISTS", "pannier:~lease:f:cold") == 0


def test_a_holder_that_is_gone_is_followed_by_one(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    sides = [start(start_daemon, own_redis, peers) for _ in range(2)]
    crowd = [peer for daemon, _ in sides for peer in Crowd(daemon, peers, count=5).peers]
    for left in range(9, 5, -1):
        holder, _ = answered(crowd)
        until_waiting([host for _, host in sides], left)
        crowd.remove(holder)
        holder.close()
    holder, token = answered(crowd)
    holder.ask(request("set", ns="f", key="cold", lease=token, value=1))
    for peer in crowd:
        if peer is not holder:
            assert parsed(peer.receive())["value"] == 1


def test_a_host_that_is_killed_leaves_its_lease_to_its_time(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    (killed, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    assert "lease" in first.get("k", ns="quick", lease=True)
    assert second.get("k", ns="quick", lease=True) == {"ok": True, "hit": False, "busy": True}
    killed.signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    # No longer than the lease's second, and what the machine takes.
    assert "lease" in second.get("k", ns="quick", lease=True, wait=20)


def test_release_tells_the_other_host(start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack) -> None:
    (_, first), (daemon, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    token = first.get("cold", ns="f", lease=True)["lease"]
    waiter = Crowd(daemon, peers, count=1).peers[0]
    until_waiting([second], 1)
    assert first.ask("release", ns="f", key="cold", lease=token)["released"] is True
    assert "lease" in parsed(waiter.receive())


@pytest.mark.parametrize(("how", "told"), [("failed", "failed"), ("pass", "pass")])
def test_a_pause_holds_on_all_hosts(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack, how: str, told: str
) -> None:
    (_, first), (daemon, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    token = first.get("cold", ns="f", lease=True)["lease"]
    waiter = Crowd(daemon, peers, count=1).peers[0]
    until_waiting([second], 1)
    first.ask("release", ns="f", key="cold", lease=token, **{how: True})
    assert parsed(waiter.receive())[told] is True
    assert second.get("cold", ns="f", lease=True)[told] is True
    # A set ends it for all.
    second.set("cold", 1, ns="f")
    second.ask("delete", ns="f", key="cold")
    first.catch_up(second)
    assert "lease" in first.get("cold", ns="f", lease=True)


@pytest.mark.parametrize("covered", [{}, {"tags": ["other"]}, {"match": "other"}])
def test_any_clear_ends_a_pause_on_all_hosts(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack, covered: dict[str, Any]
) -> None:
    (_, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    token = first.get("cold", ns="f", lease=True)["lease"]
    first.ask("release", ns="f", key="cold", lease=token, failed=True)
    assert second.get("cold", ns="f", lease=True)["failed"] is True
    first.ask("clear", ns="f", **covered)
    until(lambda: "lease" in second.get("cold", ns="f", lease=True))


def test_a_pause_of_another_incarnation_keeps_nobody_from_loading(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    """Its number says nothing of what came after it: the floor was lost, and the lease's key wasn't."""
    (_, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    for number in range(20):
        first.set(f"k{number}", 1, ns="f")
    token = first.get("cold", ns="f", lease=True)["lease"]
    first.ask("release", ns="f", key="cold", lease=token, failed=True)
    own_redis.call("DEL", "pannier:~floor")
    # Both have joined anew.
    until(lambda: first.set("a", 1, ns="f") == STORED and second.set("b", 1, ns="f") == STORED)
    until(lambda: "lease" in second.get("cold", ns="f", lease=True))


def test_a_load_that_a_delete_overtook_is_refused_everywhere(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    (_, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    token = first.get("k", ns="f", lease=True)["lease"]
    second.ask("delete", ns="f", key="k")
    # Its lease has gone with it: here one may load anew at once.
    newer = second.get("k", ns="f", lease=True)["lease"]
    first.catch_up(second)
    lost = {"ok": True, "stored": False, "reason": "lease_lost"}
    assert first.ask("set", ns="f", key="k", lease=token, value="old") == lost
    assert second.ask("set", ns="f", key="k", lease=newer, value="new") == STORED
    until(lambda: first.get("k", ns="f") == {"ok": True, "hit": True, "value": "new"})


def test_a_clear_ends_the_load_on_all_hosts(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    (_, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    token = first.get("k", ns="f", lease=True)["lease"]
    second.ask("clear", ns="f")
    until(lambda: "lease" in second.get("k", ns="f", lease=True))
    assert first.ask("set", ns="f", key="k", lease=token, value="old")["stored"] is False


def test_keys_asked_for_together_are_claimed_together(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    (_, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    first.get("b", ns="f", lease=True)
    items = second.ask("get", ns="f", keys=["a", "b", "c"], lease=True, wait=5)["items"]
    assert ["lease" in item for item in items] == [True, False, True]
    assert items[1] == {"hit": False, "busy": True}
    assert claims(second) == {"won": 2, "elsewhere": 1}


def test_without_redis_each_host_loads_for_itself(start_host: StartHost, own_redis: RedisServer) -> None:
    hosts = [start_host(FLEET) for _ in range(2)]
    for host in hosts:
        host.until_up()
    own_redis.kill()
    for host in hosts:
        until_not_up(host)
        assert "lease" in host.get("k", ns="f", lease=True)
        assert claims(host) == {"won": 0, "elsewhere": 0}


def test_a_namespace_of_the_host_claims_nothing(start_host: StartHost, own_redis: RedisServer) -> None:
    hosts = [start_host(FLEET) for _ in range(2)]
    for host in hosts:
        host.until_up()
        assert "lease" in host.get("k", lease=True)
        assert claims(host, "q") == {"won": 0, "elsewhere": 0}
    assert own_redis.call("KEYS", "pannier:~lease:*") == []


def test_a_key_asked_for_twice_is_claimed_once(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    _, host = start(start_daemon, own_redis, peers)
    items = host.ask("get", ns="f", keys=["a", "a"], lease=True)["items"]
    assert ["lease" in item for item in items] == [True, False]
    assert items[1] == {"hit": False, "busy": True}
    assert host.ask("set", ns="f", key="a", lease=items[0]["lease"], value=1) == STORED
    until(lambda: own_redis.call("EXISTS", "pannier:~lease:f:a") == 0)


def test_a_host_that_is_stopped_gives_its_leases_back(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    (stopped, first), (_, second) = [start(start_daemon, own_redis, peers) for _ in range(2)]
    assert "lease" in first.get("k", ns="f", lease=True)
    stopped.signal(signal.SIGTERM)
    assert stopped.wait() == 0
    assert own_redis.call("EXISTS", "pannier:~lease:f:k") == 0
    assert "lease" in second.get("k", ns="f", lease=True, wait=20)


@pytest.mark.parametrize("standing", [["SET", "x"], ["SET", "!failed"], ["SET", "!"], ["RPUSH", "x"]])
def test_what_stands_in_a_leases_place_without_a_time_keeps_nobody_from_loading(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack, standing: list[str]
) -> None:
    _, host = start(start_daemon, own_redis, peers)
    command, value = standing
    own_redis.call(command, "pannier:~lease:f:k", value)
    assert "lease" in host.get("k", ns="f", lease=True, wait=5)


def test_a_fill_that_redis_has_no_room_for_gives_its_lease_back(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack
) -> None:
    _, host = start(start_daemon, own_redis, peers)
    token = host.get("k", ns="f", lease=True)["lease"]
    own_redis.call("CONFIG", "SET", "maxmemory", "1")
    assert host.ask("set", ns="f", key="k", lease=token, value=1) == STORED
    until(lambda: own_redis.call("EXISTS", "pannier:~lease:f:k") == 0)


@pytest.mark.parametrize("ns", ["f", "host"])
def test_a_fill_answers_those_who_would_have_it_proven(
    start_daemon: StartDaemon, own_redis: RedisServer, peers: ExitStack, ns: str
) -> None:
    daemon, host = start(start_daemon, own_redis, peers)
    token = host.get("k", ns=ns, lease=True)["lease"]
    line = request("get", ns=ns, key="k", lease=True, wait=30, strict=True)
    crowd = Crowd(daemon, peers, line, count=3).peers
    until(lambda: waiting(host, ns) == 3)
    assert host.ask("set", ns=ns, key="k", lease=token, value=1) == STORED
    for peer in crowd:
        assert parsed(peer.receive()) == {"ok": True, "hit": True, "value": 1}
