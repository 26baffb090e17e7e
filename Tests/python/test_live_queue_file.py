"""What Redis was not told of when the process ended is in a file beside the socket, and told at the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from behind import MISS, QUEUED, STORED, configured, end, in_redis
from sidecars import Host, until
from talk import parsed

if TYPE_CHECKING:
    from conftest import StartDaemon
    from redis_server import RedisServer


def test_what_redis_was_not_told_of_is_told_at_the_next_start(
    start_daemon: StartDaemon, own_redis: RedisServer
) -> None:
    configuration = configured(own_redis)
    daemon = start_daemon(configuration, flags=())
    file = daemon.socket.with_name("pannier.sock.queue")
    with daemon.connect() as peer:
        host = Host(peer)
        host.until_up()
        for key in ("set", "deleted", "cleared", "same"):
            assert host.ask("policy", ns="q", set={"write": "aside"})["ok"]
            assert host.set(key, "old", tags=["t"] if key == "cleared" else []) == STORED
        assert host.ask("policy", ns="q", set={"write": "behind"})["ok"]
        own_redis.call("SAVE")
        own_redis.kill()
        until(lambda: host.redis()["state"] not in ("up", "suspended"))
        assert host.set("set", "new") == QUEUED
        assert host.get("set")["value"] == "new"
        assert host.ask("delete", ns="q", key="deleted")["redis"] == "queued"
        assert host.ask("clear", ns="q", tags=["t"])["redis"] == "queued"
        end(daemon)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text(encoding="utf-8").splitlines() == [
        '{"format":"pannier-queue","version":1,"count":3}',
        '{"op":"delete","ns":"q","key":"set"}',
        '{"op":"delete","ns":"q","key":"deleted"}',
        '{"op":"clear","ns":"q","tags":["t"]}',
    ]
    # Started before Redis: what it is to be told of is not read there.
    again = start_daemon(configuration, flags=(), socket=daemon.socket)
    with again.connect() as peer:
        host = Host(peer)
        assert host.redis()["queue"]["depth"] == 3
        own_redis.start_again()
        assert in_redis(own_redis, "set") == '"old"'
        host.until_up()
        until(lambda: host.redis()["queue"]["depth"] == 0)
        for key in ("set", "deleted", "cleared"):
            assert host.get(key) == MISS
        assert host.get("same")["value"] == "old"
        until(lambda: not file.exists())
        end(again)
    assert not file.exists()


def test_redis_gone_again_keeps_the_file(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    configuration = configured(own_redis)
    own_redis.kill()
    daemon = start_daemon(configuration, flags=())
    file = daemon.socket.with_name("pannier.sock.queue")
    with daemon.connect() as peer:
        assert Host(peer).set("a", 1) == QUEUED
        end(daemon)
    again = start_daemon(configuration, flags=(), socket=daemon.socket)
    with again.connect() as peer:
        assert Host(peer).set("b", 1) == QUEUED
        end(again)
    assert sorted(parsed(line)["key"] for line in file.read_text().splitlines()[1:]) == ["a", "b"]


HEAD = '{"format":"pannier-queue","version":1,"count":%d}\n'
DELETE = '{"op":"delete","ns":"q","key":"k"}\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cut off"),
        (HEAD % 1 + DELETE[:-1], "cut off"),
        (HEAD % 2 + DELETE, "number of changes"),
        (HEAD % 2 + DELETE + "{}\n", "line 3"),
        (HEAD % 1 + '{"op":"delete","ns":"*","key":"k"}\n', "line 2"),
        (HEAD % 1 + '{"op":"set","ns":"q","key":"k"}\n', "line 2"),
        (HEAD % 1 + '{"op":"clear","ns":"q","match":"["}\n', "line 2"),
        (HEAD % 1 + '{"op":"clear","ns":"a b"}\n', "line 2"),
        (DELETE, "no queue"),
        ('{"format":"pannier-queue","version":2,"count":0}\n', "version"),
        ("\n\n", "no queue"),
        ("[" * 100_000 + "\n", "no queue"),
    ],
)
def test_a_damaged_file_is_said_and_set_aside(
    start_daemon: StartDaemon, own_redis: RedisServer, text: str, why: str
) -> None:
    first = start_daemon(configured(own_redis), flags=())
    file = first.socket.with_name("pannier.sock.queue")
    end(first)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    daemon = start_daemon(configured(own_redis), flags=(), socket=first.socket)
    with daemon.connect() as peer:
        host = Host(peer)
        host.until_up()
        assert host.redis()["queue"]["queued"] == 0
        assert why in daemon.log.wait_for("can't be told to redis")
        assert not file.exists()
        assert file.with_name("pannier.sock.queue.damaged").read_text(encoding="utf-8") == text


def test_a_file_that_others_may_write_to_is_not_trusted(start_daemon: StartDaemon, own_redis: RedisServer) -> None:
    first = start_daemon(configured(own_redis), flags=())
    file = first.socket.with_name("pannier.sock.queue")
    end(first)
    file.write_text(HEAD % 1 + DELETE, encoding="utf-8")
    file.chmod(0o666)
    daemon = start_daemon(configured(own_redis), flags=(), socket=first.socket)
    assert "somebody else" in daemon.log.wait_for("can't be told to redis")
