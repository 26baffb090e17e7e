"""`pannier coherence-check` against live sidecars: some that agree, some that can't, one in the dark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from command import ERROR, HIT, MISS, run
from fake_server import FakeServer
from redis_server import RedisServer
from relay import Relay
from sidecars import Host, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import StartDaemon
    from daemon import Daemon

BEAT = "coherence: {beat: 100ms, bound: 400ms}"


def started(start_daemon: StartDaemon, redis: str, more: str = "") -> Daemon:
    daemon = start_daemon(f"redis: {redis}\ndefaults: {{jitter: 0}}\n{BEAT}\n{more}", flags=())
    with daemon.connect() as peer:
        Host(peer).until_up()
    return daemon


def arguments(daemons: Sequence[Daemon], *more: str) -> list[str]:
    sockets = [word for daemon in daemons for word in ("--socket", str(daemon.socket))]
    return ["coherence-check", *sockets, *more]


def test_sidecars_that_share_a_redis_are_coherent(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemons = [started(start_daemon, own_redis.url) for _ in range(3)]
    ended = run(*arguments(daemons, "--rounds", "100", "--json"))
    assert (ended.status, ended.err) == (HIT, "")
    found: dict[str, Any] = json.loads(ended.out)
    assert found["coherent"] is True
    assert (found["sidecars"], found["rounds"], found["writes"], found["unconfirmed"]) == (3, 100, 200, 0)
    assert found["bound"] == 0.4
    plain = found["plain"]
    assert plain["reads"] >= 200
    assert plain["reads"] == 200 + plain["stale"] + plain["misses"]
    assert (plain["beyond_bound"], plain["never_shown"]) == (0, 0)
    assert plain["stale_per_million"] == round(1e6 * plain["stale"] / plain["reads"])
    assert 0 < found["lag"]["p50"] <= found["lag"]["p99"] <= found["lag"]["max"]
    assert found["strict"] == {"reads": 200, "stale": 0, "misses": 0}
    assert found["own"] == {"reads": 100, "stale": 0}
    # Nothing is left, here or there.
    with daemons[0].connect() as peer:
        assert Host(peer).ask("keys", ns="pannier-check")["keys"] == []
    assert own_redis.call("KEYS", "pannier:pannier-check:*") == []


def test_it_is_told_in_lines(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemons = [started(start_daemon, own_redis.url) for _ in range(2)]
    ended = run(*arguments(daemons, "--rounds", "10", "--ns", "mine"))
    assert (ended.status, ended.err) == (HIT, "")
    starts = ["sidecars     2 on one Redis", "writes       20 in 10 rounds", "plain reads  ", "lag          p50 "]
    starts += ["own reads    10, none stale", "strict reads 10, none stale", "coherent"]
    lines = ended.out.splitlines()
    assert len(lines) == len(starts)
    assert [line for line, start in zip(lines, starts, strict=True) if not line.startswith(start)] == []


def test_one_sidecar_is_held_against_itself(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemon = started(start_daemon, own_redis.url)
    ended = run("coherence-check", "--rounds", "10", "--json", variables={"PANNIER_SOCKET": str(daemon.socket)})
    assert (ended.status, ended.err) == (HIT, "")
    found = json.loads(ended.out)
    assert found["own"] == {"reads": 10, "stale": 0}
    assert found["strict"] == {"reads": 10, "stale": 0, "misses": 0}
    assert (found["writes"], found["plain"]["reads"]) == (10, 0)


def test_strict_alone(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    daemons = [started(start_daemon, own_redis.url) for _ in range(2)]
    ended = run(*arguments(daemons, "--rounds", "50", "--strict", "--json"))
    assert ended.status == HIT
    found = json.loads(ended.out)
    assert (found["writes"], found["strict"]["reads"], found["plain"]["reads"]) == (50, 50, 0)


def test_one_that_does_not_hear_the_log_is_found(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    with Relay(own_redis.socket) as relay:
        a = started(start_daemon, own_redis.url)
        b = started(start_daemon, relay.url)
        with b.connect() as peer:
            host = Host(peer)
            until(lambda: host.redis()["log"]["proven"] is not None)
        # Warm, so that both have something that can go stale.
        assert run(*arguments([a, b], "--rounds", "4")).status == HIT
        relay.hold("pannier-log")
        ended = run(*arguments([a, b], "--rounds", "8", "--within", "6s", "--json"))
        assert (ended.status, ended.err) == (MISS, "")
        found = json.loads(ended.out)
        assert found["coherent"] is False
        assert found["plain"]["beyond_bound"] > 0
        assert found["plain"]["longest_stale"] > 0.4
        # What may never be stale asks Redis itself.
        assert found["strict"]["stale"] == found["own"]["stale"] == 0
        with b.connect() as peer:
            assert Host(peer).redis()["unproven"] > 0
        relay.release()


def refused(daemons: Sequence[Daemon], *more: str) -> str:
    ended = run(*arguments(daemons, *more))
    assert (ended.status, ended.out) == (ERROR, "")
    return ended.err


def test_two_redises_are_reported(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    with RedisServer() as other:
        a, b = started(start_daemon, own_redis.url), started(start_daemon, other.url)
        message = refused([a, b])
        assert f"{a.socket} and {b.socket} don't share one Redis" in message
        # As other prefixes in one Redis are.
        c = started(start_daemon, f"{{url: '{own_redis.url}', prefix: other}}")
        assert "don't share one Redis" in refused([a, c])


def test_what_can_not_be_checked_is_reported(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    bare = start_daemon("", flags=())
    assert f"{bare.socket} has no Redis" in refused([bare])
    policies = "own: {tiers: [memory]}, closed: {mode: read_only}"
    a = started(start_daemon, own_redis.url, f"namespaces: {{{policies}}}")
    assert "nothing is shared" in refused([a], "--ns", "own")
    assert "nothing is stored, its mode is read_only" in refused([a], "--ns", "closed")
    assert "is named twice" in refused([a, a])
    own_redis.kill()
    with a.connect() as peer:
        host = Host(peer)
        until(lambda: host.redis()["state"] != "up")
    assert "has no use of its Redis now" in refused([a])


# Sidecars of canned answers, for what no real one says.

AGREED = [
    b'{"ok":true,"policy":{"tiers":["memory","redis"],"write":"aside","mode":"on"}}\n',
    b'{"ok":true,"redis":{"state":"up","log":{"incarnation":"7","bound":0.01}},"namespaces":{}}\n',
]
STORED = b'{"ok":true,"stored":true}\n'
QUEUED = b'{"ok":true,"stored":true,"redis":"queued"}\n'
REFUSED = b'{"ok":false,"error":{"code":"tier_unavailable","message":"x"}}\n'
MISSED = b'{"ok":true,"hit":false}\n'
DELETED = b'{"ok":true,"deleted":1}\n'


def shown(number: int) -> bytes:
    return b'{"ok":true,"hit":true,"value":%d}\n' % number


def round_of(tmp_path: Path, writer: list[bytes], reader: list[bytes]) -> tuple[int, dict[str, Any]]:
    """One round: two writes and an own read; a plain read until it shows, and a strict one."""
    with (
        FakeServer(tmp_path / "a", [*AGREED, *writer, DELETED]) as a,
        FakeServer(tmp_path / "b", [*AGREED, *reader]) as b,
    ):
        ended = run(
            *("coherence-check", "--socket", str(a.path), "--socket", str(b.path), "--rounds", "1", "--ns", "n"),
            "--json",
        )
    assert ended.err == ""
    requests = [json.loads(line) for line in a.requests]
    assert [request["op"] for request in requests] == ["policy", "stats", "set", "set", "get", "delete"]
    key = requests[2]["key"]
    assert key in requests[-1]["keys"]
    asked = [json.loads(line) for line in b.requests[2:]]
    assert asked[0] == {"op": "get", "ns": "n", "key": key}
    assert asked[-1] == {"op": "get", "ns": "n", "key": key, "strict": True}
    return ended.status, json.loads(ended.out)


def test_a_strict_read_that_is_older_is_a_fault(tmp_path: Path) -> None:
    status, found = round_of(tmp_path, [STORED, STORED, shown(2)], [shown(1), shown(1)])
    assert (status, found["coherent"], found["strict"]["stale"]) == (MISS, False, 1)
    assert (found["plain"]["stale"], found["own"]["stale"]) == (0, 0)


def test_an_own_read_that_is_older_is_a_fault(tmp_path: Path) -> None:
    status, found = round_of(tmp_path, [STORED, STORED, shown(1)], [shown(1), shown(2)])
    assert (status, found["own"]["stale"], found["strict"]["stale"]) == (MISS, 1, 0)


def test_stale_within_the_bound_and_misses_are_none(tmp_path: Path) -> None:
    status, found = round_of(tmp_path, [STORED, STORED, MISSED], [MISSED, shown(0), shown(0), shown(1), MISSED])
    plain = found["plain"]
    assert (plain["reads"], plain["stale"], plain["misses"], plain["stale_per_million"]) == (4, 2, 1, 500_000)
    assert found["strict"] == {"reads": 1, "stale": 0, "misses": 1}
    assert status == (MISS if plain["beyond_bound"] else HIT)


@pytest.mark.parametrize("answer", [QUEUED, REFUSED])
def test_of_what_redis_does_not_have_nothing_is_said(tmp_path: Path, answer: bytes) -> None:
    with FakeServer(tmp_path / "a", [*AGREED, answer, answer, DELETED]) as a, FakeServer(tmp_path / "b", AGREED) as b:
        ended = run("coherence-check", "--socket", str(a.path), "--socket", str(b.path), "--rounds", "1")
    assert (ended.status, ended.out) == (ERROR, "")
    assert ended.err == "pannier: redis took none of 2 writes: nothing is known\n"
