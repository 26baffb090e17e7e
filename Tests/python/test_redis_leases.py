"""The right to load a key for all hosts, against a real Redis: claimed, filled, given back, and paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis

from redis_scripts import Host, floor, lease_name, read, records, value_name

if TYPE_CHECKING:
    from redis_server import RedisServer


@pytest.fixture
def other(host: Host) -> Host:
    """Another boot, which has joined."""
    other = Host(host.server, boot="b")
    other.join()
    return other


def lease(server: RedisServer, key: str = "k") -> str | None:
    return server.text("GET", lease_name(key))


def test_one_of_two_claims_wins(host: Host, other: Host) -> None:
    before = records(host.server)
    assert host.claim("k", "mine", 5000) == ("WON", 0)
    word, left = other.claim("k", "theirs", 5000)
    assert word == "HELD"
    assert 0 < left <= 5000
    assert lease(host.server) == "mine"
    assert other.claim("another", "theirs") == ("WON", 0)
    # Nothing has changed, and nobody need be told.
    assert records(host.server) == before


def test_a_fill_ends_it_and_tells_all(host: Host, other: Host) -> None:
    host.claim("k", "mine")
    word, n = host.fill("k", 1, token="mine", payload='"loaded"')
    assert word == "STORED"
    assert n == floor(host.server, "n")
    assert records(host.server)[-1][1].startswith("k filled ns q h a")
    assert other.claim("k", "theirs") == ("WON", 0)


def test_a_fill_under_a_lease_that_is_over_is_not_stored(host: Host, other: Host) -> None:
    host.claim("k", "mine")
    other.delete("k", leases=["k"])
    assert other.claim("k", "theirs") == ("WON", 0)
    assert host.fill("k", floor(host.server, "n"), token="mine") == ("LOST", 0)
    assert read(host.server, "k") == b""
    assert lease(host.server) == "theirs"


def test_it_ends_by_itself(host: Host, other: Host) -> None:
    host.claim("k", "mine", 5000)
    assert 0 < host.server.number("PTTL", lease_name("k")) <= 5000
    host.server.call("PEXPIRE", lease_name("k"), 0)
    assert other.claim("k", "theirs") == ("WON", 0)


def test_given_back_it_is_free_and_all_are_told(host: Host, other: Host) -> None:
    host.claim("k", "mine")
    n = host.release("k", "mine")
    assert n == floor(host.server, "n") > 0
    assert records(host.server)[-1][1].startswith("k filled ns q h a")
    assert other.claim("k", "theirs") == ("WON", 0)


def test_only_its_holder_gives_it_back(host: Host, other: Host) -> None:
    host.claim("k", "mine")
    before = records(host.server)
    assert other.release("k", "theirs") == 0
    assert other.release("none", "theirs") == 0
    assert (lease(host.server), records(host.server)) == ("mine", before)


@pytest.mark.parametrize("pause", ["failed", "passed"])
def test_a_pause_holds_for_all_and_for_its_time(host: Host, other: Host, pause: str) -> None:
    host.claim("k", "mine")
    assert host.release("k", "mine", pause, 5000) > 0
    for each in (host, other):
        word, left = each.claim("k", "again")
        assert word == pause.upper()
        assert 0 < left <= 5000
    host.server.call("DEL", lease_name("k"))
    assert other.claim("k", "theirs") == ("WON", 0)


def test_what_ends_a_load_ends_its_lease_and_a_pause(host: Host) -> None:
    for end in (
        lambda: host.delete("k", leases=["k"]),
        lambda: host.soft("k", leases=["k"]),
        lambda: host.set("k", leases=["k"]),
        lambda: host.set_if("k", read(host.server, "k"), 1000),
    ):
        host.claim("k", "mine")
        end()
        assert lease(host.server) is None
        host.claim("k", "mine")
        host.release("k", "mine", "failed", 5000)
        end()
        assert lease(host.server) is None


def test_a_clear_ends_a_pause_and_no_load(host: Host, other: Host) -> None:
    host.claim("k", "mine")
    other.clear()
    assert other.claim("k", "theirs")[0] == "HELD"
    host.release("k", "mine", "failed", 5000)
    assert other.claim("k", "theirs")[0] == "FAILED"
    other.clear("tags", "any")
    assert other.claim("k", "theirs") == ("WON", 0)


def test_the_claim_of_a_connection_with_a_successor_is_refused(host: Host) -> None:
    successor = Host(host.server, connection=2)
    successor.join()
    with pytest.raises(redis.ResponseError, match="FENCED"):
        host.claim("k", "nobody's")
    assert lease(host.server) is None
    assert successor.claim("k", "mine") == ("WON", 0)


def test_it_is_given_back_where_redis_is_full(host: Host) -> None:
    host.claim("k", "mine")
    host.server.call("CONFIG", "SET", "maxmemory", 1)
    assert host.release("k", "mine", "failed", 5000) > 0
    assert host.claim("k", "again")[0] == "FAILED"
    assert host.server.number("EXISTS", value_name("k")) == 0
