"""What every script keeps to, against a real Redis: gaps, fences, numbers, records and small replies."""

from __future__ import annotations

from typing import cast

import pytest
import redis

from redis_scripts import (
    CHANGES,
    FLOOR,
    HOSTS,
    LOG,
    Host,
    attempt,
    birth,
    everything,
    floor,
    groups,
    lease_name,
    read,
    records,
    slot,
    sources,
    value_name,
)

MAXIMUM_N = 2**53 - 2


def test_all_scripts_are_found() -> None:
    changes = {"delete", "soft", "clear", "set", "setIf", "touch", "fill"}
    assert set(sources()) == changes | {"join", "remove", "claim", "release"}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("lost", ["floor", "E", "n", "mine"])
def test_another_incarnation_is_a_gap_and_nothing_is_done(host: Host, change: str, lost: str) -> None:
    host.set("k")
    host.server.call("SET", lease_name("k"), "token")
    match lost:
        case "floor":
            host.server.call("DEL", FLOOR)
        case "mine":
            host.incarnation = str(int(host.incarnation) + 1)
        case _:
            host.server.call("HDEL", FLOOR, lost)
    before = everything(host.server)
    with pytest.raises(redis.ResponseError, match=r"^GAP "):
        attempt(host, change)
    assert everything(host.server) == before


@pytest.mark.parametrize("change", ["set", "setIf", "touch"])
@pytest.mark.parametrize("registered", [None, 2])
def test_an_abandoned_connection_stores_nothing(host: Host, change: str, registered: int | None) -> None:
    if registered is None:
        host.server.call("DEL", HOSTS)
    else:
        Host(host.server, "a", registered).join()
    Host(host.server, "b", 1).join()
    before = everything(host.server)
    with pytest.raises(redis.ResponseError, match=r"^FENCED "):
        attempt(host, change)
    assert everything(host.server) == before


def test_numbers_have_no_holes_and_records_say_who_and_what(host: Host) -> None:
    other = Host(host.server, "b")
    other.join()
    assert host.delete("k", "l") == 2
    assert other.set("k", "l") == ("STORED", 3)
    assert host.set("k", guard=2) == ("CONFLICT", 4)
    assert host.soft("l") == 5
    assert other.clear() == 6
    assert host.clear("match", "k*", soft=True) == 7
    assert host.clear("tags", "t", "u") == 8
    assert host.set_if("m", b"", 8) == ("STORED", 9)
    assert host.touch("m", read(host.server, "m"), 8, 70_000) == ("TOUCHED", 10)
    host.server.call("SET", lease_name("z"), "token")
    assert host.fill("z", 10, token="token") == ("STORED", 11)
    assert records(host.server) == [
        (f"{host.incarnation}-{n + 1}", text)
        for n, text in enumerate(
            [
                "k open h a o 0",
                "k del ns q h a o 1 key k key l",
                "k set ns q h b o 1 key k key l",
                "k del ns q h a o 2 key k",
                "k soft ns q h a o 3 key l",
                "k clear ns q h b o 2 g all",
                "k softclear ns q h a o 4 g match m k*",
                "k clear ns q h a o 5 g tags t t t u",
                "k set ns q h a o 6 key m",
                "k touch ns q h a o 7 key m",
                "k filled ns q h a o 8 key z",
            ]
        )
    ]
    assert floor(host.server, "n") == 11


@pytest.mark.parametrize("change", ["delete", "soft", "clear", "set"])
def test_numbers_are_exact_to_the_last(host: Host, change: str) -> None:
    host.server.call("HSET", FLOOR, "n", MAXIMUM_N - 1, slot("k"), 7)
    attempt(host, change)
    assert records(host.server)[-1][0] == f"{host.incarnation}-{MAXIMUM_N}"
    assert floor(host.server, "n") == MAXIMUM_N
    assert floor(host.server, "~q" if change == "clear" else slot("k")) == MAXIMUM_N
    assert change != "clear" or groups(host.server) == {"m:k*": MAXIMUM_N}


def test_the_log_is_trimmed(host: Host) -> None:
    for _ in range(1300):
        host.delete("k")
    assert 1000 <= host.server.number("XLEN", LOG) < 1200


def test_a_record_has_128_keys_and_the_floor_their_slots(host: Host) -> None:
    keys = [f"key {number}" for number in range(128)]
    assert host.set(*keys, leases=keys) == ("STORED", 2)
    assert {birth(host.server, key) for key in keys} == {f"{host.incarnation}-2"}
    assert host.delete(*keys, leases=keys) == 3
    assert {floor(host.server, slot(key)) for key in keys} == {3}
    assert host.server.number("EXISTS", *map(value_name, keys)) == 0
    assert records(host.server)[-1][1].count(" key key ") == 128


def test_replies_are_small(host: Host) -> None:
    for change in CHANGES[:-1]:
        reply = attempt(host, change)
        assert isinstance(reply, int) or (isinstance(reply, tuple) and len(cast("tuple[object]", reply)) == 2)
