"""The scripts against a real Redis: each rule that the tier relies on, and what is done when Redis is full."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import pytest
import redis
from redis.exceptions import OutOfMemoryError

from redis_scripts import (
    FLOOR,
    HOSTS,
    LIFE_MILLISECONDS,
    LOG,
    Host,
    Joined,
    envelope,
    lease_name,
    slot,
    sources,
    table,
    value_name,
)
from redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAXIMUM_N = 2**53 - 2


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.call("CONFIG", "SET", "maxmemory", 0)
    running.call("FLUSHALL")
    return running


@pytest.fixture
def host(server: RedisServer) -> Host:
    host = Host(server)
    host.join()
    return host


def everything(server: RedisServer) -> dict[bytes, object]:
    """All that Redis holds: what was refused must leave it as it was."""
    names = cast("list[bytes]", server.call("KEYS", "*"))
    return {name: server.call("DUMP", name) for name in names}


def records(server: RedisServer) -> list[tuple[str, list[str]]]:
    entries = cast("list[tuple[bytes, list[bytes]]]", server.call("XRANGE", LOG, "-", "+"))
    return [(number.decode(), [field.decode() for field in fields]) for number, fields in entries]


def last_record(server: RedisServer) -> tuple[str, str]:
    number, fields = records(server)[-1]
    return number, " ".join(fields)


def floor(server: RedisServer, field: str | int) -> int:
    return int(server.text("HGET", FLOOR, field) or 0)


def birth(server: RedisServer, key: str) -> str:
    value = server.text("GET", value_name(key)) or ""
    found = re.search(r'"birth":"([\d-]+)" *,', value)
    assert found is not None
    return found[1]


def read(server: RedisServer, key: str) -> bytes:
    value = server.call("GET", value_name(key))
    return value if isinstance(value, bytes) else b""


def groups(server: RedisServer, ns: str = "q") -> dict[str, int]:
    return table(cast("list[bytes]", server.call("ZRANGE", f"p:~groups:{ns}", 0, -1, "WITHSCORES")))


def test_all_scripts_are_found() -> None:
    assert set(sources()) == {"join", "delete", "soft", "clear", "set", "setIf", "touch", "fill"}


# MARK: join


def test_the_first_join_begins_an_incarnation(server: RedisServer) -> None:
    seconds = int(cast("list[bytes]", server.call("TIME"))[0])
    joined = Host(server).join()
    assert joined.incarnation == joined.base
    assert abs(int(joined.incarnation) / 1_000_000 - seconds) < 5
    assert joined.n == 1
    assert records(server) == [(f"{joined.incarnation}-1", ["k", "open", "h", "a", "o", "0"])]


def test_a_join_without_loss_writes_nothing(host: Host) -> None:
    before = everything(host.server)
    assert host.join() == Joined(host.incarnation, host.incarnation, 1, {"q": {}})
    assert everything(host.server) == before


@pytest.mark.parametrize(("known", "new"), [("9007199254740993", "9007199254740994"), ("9" * 17, "1" + "0" * 17)])
def test_an_incarnation_is_above_the_one_the_caller_knows(server: RedisServer, known: str, new: str) -> None:
    assert Host(server).join(known=known).incarnation == new


def test_an_incarnation_is_above_the_log_that_stands(server: RedisServer) -> None:
    server.call("XADD", LOG, "9007199254740993-7", "k", "open")
    assert Host(server).join().incarnation == "9007199254740994"


def test_another_run_is_another_incarnation_and_keeps_the_count_the_floors_and_the_values(host: Host) -> None:
    host.delete("gone")
    host.set("k")
    host.clear("tags", "t")
    old = host.incarnation
    joined = host.join(run="other")
    assert int(joined.incarnation) > int(old)
    assert (joined.base, joined.n, joined.tables) == (old, 5, {"q": {"t:t": 4}})
    assert last_record(host.server) == (f"{joined.incarnation}-5", "k open h a o 0")
    assert floor(host.server, slot("gone")) == 2
    assert birth(host.server, "k") == f"{old}-3"
    assert host.join(run="other").incarnation == joined.incarnation


def test_incarnations_are_unique_where_the_clock_stands_behind_them(host: Host) -> None:
    host.server.call("HSET", FLOOR, "E", "9007199254740993")
    assert host.join(run="other", known="5").incarnation == "9007199254740994"


def test_a_lost_floor_is_a_new_base_without_groups(host: Host) -> None:
    host.clear("tags", "t")
    old = host.incarnation
    host.server.call("DEL", FLOOR)
    joined = host.join()
    assert int(joined.incarnation) > int(old)
    assert (joined.base, joined.n, joined.tables) == (joined.incarnation, 1, {"q": {}})
    assert floor(host.server, "~q") == 0


@pytest.mark.parametrize("field", ["E", "base", "run", "n"])
def test_a_floor_with_a_hole_is_a_lost_floor(host: Host, field: str) -> None:
    old = host.incarnation
    host.server.call("HDEL", FLOOR, field)
    joined = host.join()
    assert int(joined.incarnation) > int(old)
    assert joined.base == joined.incarnation


def test_a_lost_group_table_is_a_clear_that_is_nobodys(host: Host) -> None:
    host.clear("tags", "t")
    host.server.call("DEL", "p:~groups:q")
    joined = host.join("other", "q")
    assert (joined.n, joined.tables) == (3, {"other": {}, "q": {"all": 3}})
    assert last_record(host.server) == (f"{host.incarnation}-3", "k clear ns q h  o 0 g all")
    assert floor(host.server, "~q") == 3


@pytest.mark.parametrize("by_join", [True, False])
def test_a_table_of_an_older_incarnation_is_dropped(host: Host, by_join: bool) -> None:
    host.clear("tags", "old")
    host.server.call("DEL", FLOOR)
    host.join("other")
    if by_join:
        assert host.join("q").tables == {"q": {}}
    else:
        host.clear("tags", "new")
        assert groups(host.server) == {"t:new": 2}


def test_a_lost_log_leaves_a_hole(host: Host) -> None:
    host.delete("k")
    host.server.call("DEL", LOG)
    joined = host.join()
    assert joined.n == 3
    assert records(host.server) == [(f"{host.incarnation}-3", ["k", "open", "h", "a", "o", "0"])]


def test_a_trimmed_log_is_no_lost_log(host: Host) -> None:
    host.delete("k")
    host.server.call("XTRIM", LOG, "MAXLEN", 0)
    assert host.join().n == 2


def test_only_a_command_connection_registers(host: Host) -> None:
    Host(host.server, "a", 2).join(registers=False)
    assert host.server.text("HGET", HOSTS, "a") == "1"


def test_an_earlier_connection_can_not_register_again(host: Host) -> None:
    Host(host.server, "a", 2).join()
    before = everything(host.server)
    with pytest.raises(redis.ResponseError, match=r"^FENCED "):
        host.join()
    assert everything(host.server) == before


def test_the_hosts_are_bounded(host: Host) -> None:
    names = [field for number in range(16384) for field in (f"dead-{number}", "1")]
    host.server.call("HSET", HOSTS, *names)
    assert host.join().n == 1
    assert host.server.pairs("HGETALL", HOSTS) == {b"a": b"1"}


# MARK: every change


def attempt(host: Host, change: str) -> object:
    match change:
        case "delete":
            return host.delete("k", "l", leases=["k"])
        case "soft":
            return host.soft("k", "l")
        case "clear":
            return host.clear("match", "k*")
        case "set":
            return host.set("k", "l", guard=0)
        case "setIf":
            return host.set_if("k", b"", 1000)
        case "touch":
            return host.touch("k", envelope("k").encode(), 1000, 5)
        case "fill":
            return host.fill("k", 0)
        case _:
            return host.fill("k", 0, token="token")


CHANGES = ["delete", "soft", "clear", "set", "setIf", "touch", "fill", "fill under a lease"]


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
    assert [(number, " ".join(fields)) for number, fields in records(host.server)] == [
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
    assert last_record(host.server)[0] == f"{host.incarnation}-{MAXIMUM_N}"
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
    assert len(records(host.server)[-1][1]) == 8 + 2 * 128


def test_replies_are_small(host: Host) -> None:
    for change in CHANGES[:-1]:
        reply = attempt(host, change)
        assert isinstance(reply, int) or (isinstance(reply, tuple) and len(cast("tuple[object]", reply)) == 2)


# MARK: delete, soft


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


# MARK: clear


def test_a_clear_is_in_the_table_and_the_floor(host: Host) -> None:
    host.clear("match", "a*")
    host.clear("tags", "t", "u", soft=True)
    host.clear("all", soft=True)
    assert groups(host.server) == {"m:a*": 2, "s:t:t": 3, "s:t:u": 3, "s:all": 4}
    assert floor(host.server, "~q") == 4
    assert host.join().tables == {"q": groups(host.server)}


def test_a_newer_clear_takes_the_place_of_an_equal_one(host: Host) -> None:
    for _ in range(3):
        host.clear("match", "a*")
        host.clear("tags", "t")
    assert groups(host.server) == {"m:a*": 6, "t:t": 7}


def test_a_clear_of_all_leaves_only_itself(host: Host) -> None:
    host.clear("match", "a*")
    host.clear("tags", "t")
    host.clear()
    assert groups(host.server) == {"all": 4}


def test_a_clear_of_all_namespaces_is_a_namespace_without_a_name(host: Host) -> None:
    host.clear(ns="")
    assert floor(host.server, "~") == 2
    assert host.join("q", "").tables == {"q": {}, "": {"all": 2}}
    assert host.set("k", guard=1) == ("CONFLICT", 3)


def test_the_oldest_match_above_64_becomes_a_clear_of_all_as_old(host: Host) -> None:
    host.clear("all", soft=True)
    for number in range(64):
        host.clear("match", f"{number}*", soft=number == 1)
    assert groups(host.server)["m:0*"] == 3
    host.clear("match", "new*")
    assert groups(host.server)["all"] == 3
    assert "m:0*" not in groups(host.server)
    host.clear("tags", "t")
    host.clear("match", "newer*")
    # The soft one that is folded now is newer than the soft clear of all.
    assert (groups(host.server)["all"], groups(host.server)["s:all"]) == (3, 4)
    host.clear("match", "2*")
    assert len([group for group in groups(host.server) if group.startswith("m:")]) == 64


def test_a_folded_match_does_not_lower_a_clear_of_all(host: Host) -> None:
    host.clear("match", "old*", soft=True)
    host.clear("all", soft=True)
    for number in range(64):
        host.clear("match", f"{number}*")
    assert groups(host.server)["s:all"] == 3
    assert "s:m:old*" not in groups(host.server)


def test_the_oldest_tags_above_16384_go_into_one_floor(host: Host) -> None:
    host.clear("tags", "first", soft=True)
    host.clear("tags", "second")
    host.clear("match", "a*")
    members = [field for number in range(16382) for field in (5 + number, f"t:{number}")]
    host.server.call("ZADD", "p:~groups:q", *members)
    host.server.call("HSET", FLOOR, "n", 20_000)
    host.clear("tags", "0")
    assert "F" not in groups(host.server)
    host.clear("tags", "one", "two")
    found = groups(host.server)
    assert (found["s:F"], found["F"], found["m:a*"]) == (2, 3, 4)
    assert (found["t:one"], found["t:0"], found["t:1"]) == (20_002, 20_001, 6)
    assert len([group for group in found if group.startswith("t:")]) == 16384
    assert len(host.join().tables["q"]) == len(found)


# MARK: set


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
    assert last_record(host.server)[1].startswith("k del ns q h a")
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


# MARK: set if


def test_a_conditional_set_stores_where_nothing_stands(host: Host) -> None:
    host.server.call("SET", lease_name("k"), "token")
    assert host.set_if("k", b"", 1) == ("STORED", 2)
    assert birth(host.server, "k") == f"{host.incarnation}-2"
    assert host.server.number("EXISTS", lease_name("k")) == 0
    assert host.set_if("k", b"", 2) == ("CHANGED", 2)


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


# MARK: touch


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


# MARK: fill


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
    assert last_record(host.server)[1] == "k filled ns q h a o 1 key k"
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


# MARK: a full Redis


@pytest.fixture
def full(host: Host) -> Host:
    """Something of everything, and no memory for more."""
    host.set("k", "l")
    host.clear("match", "a*")
    host.server.call("SET", lease_name("k"), "token")
    host.server.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    host.server.call("CONFIG", "SET", "maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="command not allowed"):
        host.server.call("SET", "x", "y")
    return host


def test_a_full_redis_deletes(full: Host) -> None:
    assert full.delete("k") == 4
    assert full.delete("never was") == 5
    assert full.server.number("EXISTS", value_name("k")) == 0
    assert last_record(full.server) == (f"{full.incarnation}-5", f"k del ns q h a o {full.ops} key never was")


def test_a_full_redis_marks_and_clears(full: Host) -> None:
    assert full.soft("k") == 4
    assert full.soft("l", leases=["l"]) == 5
    assert b'"soft":1' in read(full.server, "k")
    assert full.clear("tags", "t") == 6
    assert full.clear("match", "m*", soft=True) == 7
    assert full.clear(ns="new") == 8
    assert full.clear() == 9
    assert groups(full.server) == {"all": 9}


def test_a_full_redis_touches(full: Host) -> None:
    assert full.touch("k", read(full.server, "k"), 3, 70_000) == ("TOUCHED", 4)


@pytest.mark.parametrize("change", ["set", "setIf", "fill", "fill under a lease"])
def test_a_full_redis_stores_nothing_and_nothing_is_done(full: Host, change: str) -> None:
    full.server.call("CONFIG", "SET", "maxmemory", 0)
    full.server.call("SET", lease_name("absent"), "token")
    full.server.call("CONFIG", "SET", "maxmemory", 1)
    stores: dict[str, Callable[[], object]] = {
        "set": lambda: full.set("k", "absent", leases=["absent"]),
        "setIf": lambda: full.set_if("absent", b"", 3),
        "fill": lambda: full.fill("absent", 3),
        "fill under a lease": lambda: full.fill("absent", 3, token="token"),
    }
    before = everything(full.server)
    with pytest.raises(OutOfMemoryError):
        stores[change]()
    assert everything(full.server) == before


def test_a_full_redis_still_makes_a_conflict_a_delete(full: Host) -> None:
    assert full.set("k", guard=1) == ("CONFLICT", 4)
    assert full.server.number("EXISTS", value_name("k")) == 0


def test_a_full_redis_can_be_joined(full: Host) -> None:
    full.server.call("DEL", "p:~groups:q")
    assert Host(full.server, "b", 1).join().tables == {"q": {"all": 4}}
    full.server.call("DEL", FLOOR)
    assert full.join().n == 1


@pytest.mark.parametrize("change", ["join", "delete", "soft", "clear", "set", "setIf"])
def test_a_replica_says_so_by_its_code(host: Host, change: str) -> None:
    host.server.call("REPLICAOF", "127.0.0.1", 1)
    try:
        with pytest.raises(redis.ReadOnlyError):
            host.join() if change == "join" else attempt(host, change)
    finally:
        host.server.call("REPLICAOF", "NO", "ONE")
