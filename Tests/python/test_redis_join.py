"""Joins against a real Redis: when there is a new incarnation, and how what was lost is made known."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
import redis

from redis_scripts import FLOOR, HOSTS, LOG, Host, Joined, birth, everything, floor, groups, records, slot

if TYPE_CHECKING:
    from redis_server import RedisServer


def test_the_first_join_begins_an_incarnation(redis_server: RedisServer) -> None:
    seconds = int(cast("list[bytes]", redis_server.call("TIME"))[0])
    joined = Host(redis_server).join()
    assert joined.incarnation == joined.base
    assert abs(int(joined.incarnation) / 1_000_000 - seconds) < 5
    assert joined.n == 1
    assert records(redis_server) == [(f"{joined.incarnation}-1", "k open h a o 0")]


def test_a_join_without_loss_writes_nothing(host: Host) -> None:
    before = everything(host.server)
    assert host.join() == Joined(host.incarnation, host.incarnation, 1, {"q": {}})
    assert everything(host.server) == before


@pytest.mark.parametrize(("known", "new"), [("9007199254740993", "9007199254740994"), ("9" * 17, "1" + "0" * 17)])
def test_an_incarnation_is_above_the_one_the_caller_knows(redis_server: RedisServer, known: str, new: str) -> None:
    assert Host(redis_server).join(known=known).incarnation == new


def test_an_incarnation_is_above_the_log_that_stands(redis_server: RedisServer) -> None:
    redis_server.call("XADD", LOG, "9007199254740993-7", "k", "open")
    assert Host(redis_server).join().incarnation == "9007199254740994"


def test_another_run_is_another_incarnation_and_keeps_the_count_the_floors_and_the_values(host: Host) -> None:
    host.delete("gone")
    host.set("k")
    host.clear("tags", "t")
    old = host.incarnation
    joined = host.join(run="other")
    assert int(joined.incarnation) > int(old)
    assert (joined.base, joined.n, joined.tables) == (old, 5, {"q": {"t:t": 4}})
    assert records(host.server)[-1] == (f"{joined.incarnation}-5", "k open h a o 0")
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
    assert records(host.server)[-1] == (f"{host.incarnation}-3", "k clear ns q h  o 0 g all")
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


def test_tables_are_told_where_they_are_news(host: Host) -> None:
    host.clear("tags", "t")
    assert host.join(wants_tables=False).tables == {}
    assert host.join(wants_tables=False, known="0").tables == {"q": {"t:t": 2}}
    assert host.join(wants_tables=False, run="other").tables == {"q": {"t:t": 2}}


def test_a_lost_log_leaves_a_hole(host: Host) -> None:
    host.delete("k")
    host.server.call("DEL", LOG)
    joined = host.join()
    assert joined.n == 3
    assert records(host.server) == [(f"{host.incarnation}-3", "k open h a o 0")]


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
