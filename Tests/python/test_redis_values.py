"""What changes do to values, against a real Redis: delete, soft, set and its guard, conditions, touch and fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis

from redis_scripts import (
    FLOOR,
    LIFE_MILLISECONDS,
    attempt,
    birth,
    envelope,
    everything,
    floor,
    lease_name,
    read,
    records,
    slot,
    value_name,
)

if TYPE_CHECKING:
    from redis_scripts import Host


def test_a_delete_takes_values_and_leases(host: Host) -> None:
    host.set("k", "stays")
    host.server.call("SET", lease_name("k"), "token")
    host.delete("k", "never was", leases=["k"])
    assert host.server.number("EXISTS", value_name("k"), lease_name("k")) == 0
    assert host.server.number("EXISTS", value_name("stays")) == 1


def test_soft_marks_and_keeps_everything_else(host: Host) -> None:
    host.set("k", payload='"payload"')
    host.server.call("SET", lease_name("k"), "token")
    before = read(host.server, "k")
    host.soft("k", "never was", leases=["k"])
    assert read(host.server, "k") == before.replace(b'"soft":0', b'"soft":1')
    assert 0 < host.server.number("PTTL", value_name("k")) <= LIFE_MILLISECONDS
    assert host.server.number("EXISTS", value_name("never was"), lease_name("k")) == 0


def test_soft_leaves_alone_what_is_no_value(host: Host) -> None:
    host.server.call("SET", value_name("text"), "x" * 100)
    host.server.call("LPUSH", value_name("list"), "x")
    before = read(host.server, "text")
    assert host.soft("text", "list", "absent") == 2
    assert read(host.server, "text") == before


def test_a_set_stores_with_its_birth_and_lifetime_and_ends_the_lease(host: Host) -> None:
    host.server.call("SET", lease_name("k"), "token")
    assert host.set("k", payload='{"a":1}', leases=["k"]) == ("STORED", 2)
    value = read(host.server, "k").decode()
    assert value == envelope("k", '{"a":1}', birth=f"{host.incarnation}-2")
    assert 0 < host.server.number("PTTL", value_name("k")) <= LIFE_MILLISECONDS
    assert host.server.number("EXISTS", lease_name("k")) == 0


def test_a_large_value_is_stored_unchanged(host: Host) -> None:
    payload = "x" * (1 << 20)
    host.set("k", payload=payload)
    assert read(host.server, "k").decode() == envelope("k", payload, birth=f"{host.incarnation}-2")


@pytest.mark.parametrize("touched", ["slot", "namespace", "all"])
def test_a_guarded_set_after_a_newer_record_is_a_delete(host: Host, touched: str) -> None:
    host.set("k")
    guard = floor(host.server, "n")
    match touched:
        case "slot":
            host.set("k")
        case "namespace":
            host.clear("tags", "unrelated")
        case _:
            host.clear(ns="")
    host.server.call("SET", lease_name("k"), "token")
    assert host.set("k", guard=guard, leases=["k"]) == ("CONFLICT", guard + 2)
    assert host.server.number("EXISTS", value_name("k"), lease_name("k")) == 0
    assert records(host.server)[-1][1].startswith("k del ns q h a")
    assert floor(host.server, slot("k")) == guard + 2
    assert host.fill("k", guard + 1) == ("REFUSED", guard + 2)


def test_a_guarded_set_of_several_is_one_delete_where_any_is_touched(host: Host) -> None:
    host.set("k", "l")
    host.delete("l")
    assert host.set("k", "l", guard=2) == ("CONFLICT", 4)
    assert host.server.number("EXISTS", value_name("k"), value_name("l")) == 0


def test_a_guard_as_new_as_the_floors_stores(host: Host) -> None:
    host.set("k")
    host.clear("tags", "t")
    assert host.set("k", guard=3) == ("STORED", 4)
    assert host.set("other", guard=3) == ("STORED", 5)


def test_a_conditional_set_stores_where_nothing_stands(host: Host) -> None:
    host.server.call("SET", lease_name("k"), "token")
    assert host.set_if("k", b"", 1) == ("STORED", 2)
    assert birth(host.server, "k") == f"{host.incarnation}-2"
    assert host.server.number("EXISTS", lease_name("k")) == 0
    assert host.set_if("k", b"", 2) == ("CHANGED", 2)
    assert host.fill("k", 1) == ("REFUSED", 2)


def test_a_conditional_set_stores_over_the_version_that_was_read(host: Host) -> None:
    host.set("k", version=5)
    five = read(host.server, "k")
    assert host.set_if("k", envelope("k", version=4).encode(), 2, version=6) == ("CHANGED", 2)
    assert host.set_if("k", five, 2, version=6) == ("STORED", 3)
    assert host.set_if("k", five, 3, version=7) == ("CHANGED", 3)
    host.delete("k")
    assert host.set_if("k", read(host.server, "k"), 4) == ("STORED", 5)


def test_soft_is_no_other_version(host: Host) -> None:
    host.set("k")
    before = read(host.server, "k")
    host.soft("k")
    assert host.set_if("k", before, 3) == ("STORED", 4)


@pytest.mark.parametrize("ns", ["q", ""])
def test_a_clear_that_was_not_seen_forbids_it(host: Host, ns: str) -> None:
    host.set("k")
    value = read(host.server, "k")
    host.clear("tags", "t", ns=ns)
    before = everything(host.server)
    assert host.set_if("k", value, 2) == ("CHANGED", 3)
    assert host.touch("k", value, 2, 5) == ("CHANGED", 3)
    assert everything(host.server) == before
    assert host.set_if("k", value, 3) == ("STORED", 4)


def test_a_conditional_set_replaces_what_is_no_value(host: Host) -> None:
    host.server.call("LPUSH", value_name("list"), "x")
    host.server.call("SET", value_name("text"), "short")
    assert host.set_if("list", b"", 1) == ("STORED", 2)
    assert host.set_if("text", b"short", 2) == ("STORED", 3)


def test_a_touch_changes_times_and_birth_in_place(host: Host) -> None:
    host.set("k", payload='"payload"', version=9)
    before = read(host.server, "k").decode()
    assert host.touch("k", before.encode(), 2, 70_000) == ("TOUCHED", 3)
    after = read(host.server, "k").decode()
    assert after == before.replace('-2" ', '-3" ').replace('"life":        60000', '"life":        70000').replace(
        '"age":            0', '"age":            5'
    )
    assert LIFE_MILLISECONDS < host.server.number("PTTL", value_name("k")) <= 70_000
    assert host.fill("k", 2) == ("REFUSED", 3)


@pytest.mark.parametrize("change", ["other version", "soft", "gone", "list"])
def test_a_touch_of_what_has_changed_does_nothing(host: Host, change: str) -> None:
    host.set("k", version=1)
    value = read(host.server, "k")
    match change:
        case "other version":
            host.set("k", version=2)
        case "soft":
            host.soft("k")
        case "gone":
            host.delete("k")
        case _:
            host.server.call("DEL", value_name("k"))
            host.server.call("LPUSH", value_name("k"), "x")
    before = everything(host.server)
    n = floor(host.server, "n")
    assert host.touch("k", value, n, 70_000) == ("CHANGED", n)
    assert host.touch("k", b"", n, 70_000) == ("CHANGED", n)
    assert everything(host.server) == before


def test_a_fill_stores_without_a_record(host: Host) -> None:
    assert host.fill("k", 1, payload="7") == ("STORED", 0)
    assert read(host.server, "k").decode() == envelope("k", "7", birth=f"{host.incarnation}-1")
    assert len(records(host.server)) == 1


@pytest.mark.parametrize("change", ["delete", "soft", "set"])
def test_a_fill_born_before_a_change_is_refused_for_ever(host: Host, change: str) -> None:
    attempt(host, change)
    before = everything(host.server)
    assert host.fill("k", 1) == ("REFUSED", 2)
    assert everything(host.server) == before
    assert host.server.number("TTL", FLOOR) == -1
    assert host.fill("k", 2) == ("STORED", 0)


def test_a_fill_under_a_fleet_lease_is_recorded_and_ends_it(host: Host) -> None:
    host.server.call("SET", lease_name("k"), "token", "PX", 60_000)
    assert host.fill("k", 1, token="token") == ("STORED", 2)
    assert host.server.number("EXISTS", lease_name("k")) == 0
    assert records(host.server)[-1][1] == "k filled ns q h a o 1 key k"
    assert floor(host.server, slot("k")) == 0


@pytest.mark.parametrize("held", ["other", None])
def test_a_fill_whose_fleet_lease_is_lost_does_nothing(host: Host, held: str | None) -> None:
    if held is not None:
        host.server.call("SET", lease_name("k"), held)
    before = everything(host.server)
    assert host.fill("k", 1, token="token") == ("LOST", 0)
    assert everything(host.server) == before


def test_a_refused_fill_leaves_the_fleet_lease(host: Host) -> None:
    host.delete("k")
    host.server.call("SET", lease_name("k"), "token")
    assert host.fill("k", 1, token="token") == ("REFUSED", 2)
    assert host.fill("k", 2, token="token") == ("STORED", 3)


def test_what_was_read_is_removed_and_makes_no_record(host: Host) -> None:
    host.set("k", "l", "stays")
    before = records(host.server)
    assert host.remove(k=read(host.server, "k"), l=read(host.server, "l"), never_was=b"x" * 96) == 2
    assert host.server.number("EXISTS", value_name("k"), value_name("l")) == 0
    assert host.server.number("EXISTS", value_name("stays")) == 1
    assert records(host.server) == before


@pytest.mark.parametrize("change", ["set", "fill", "soft", "touch", "short", "list"])
def test_what_was_changed_meanwhile_is_not_removed(host: Host, change: str) -> None:
    host.set("k", version=1)
    value = read(host.server, "k")
    match change:
        case "set":
            host.set("k", version=1)
        case "fill":
            # Of the same birth: what it replaces was not the newest.
            host.server.call("SET", value_name("k"), value.replace(b"     1,", b"     2,"))
        case "soft":
            host.soft("k")
        case "touch":
            host.touch("k", value, 2, 70_000)
        case "short":
            value = value[:95]
            host.server.call("SET", value_name("k"), value)
        case _:
            host.server.call("DEL", value_name("k"))
            host.server.call("LPUSH", value_name("k"), "x")
    before = everything(host.server)
    assert host.remove(k=value) == 0
    assert everything(host.server) == before


@pytest.mark.parametrize("lost", ["floor", "mine"])
def test_nothing_is_removed_in_another_incarnation(host: Host, lost: str) -> None:
    host.set("k")
    if lost == "floor":
        host.server.call("DEL", FLOOR)
    else:
        host.incarnation = str(int(host.incarnation) + 1)
    with pytest.raises(redis.ResponseError, match=r"^GAP "):
        host.remove(k=read(host.server, "k"))
    assert host.server.number("EXISTS", value_name("k")) == 1


def test_a_full_redis_removes(host: Host) -> None:
    host.set("k")
    host.server.call("CONFIG", "SET", "maxmemory", 1)
    assert host.remove(k=read(host.server, "k")) == 1
