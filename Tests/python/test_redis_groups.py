"""Clears of groups against a real Redis: the table, its bounds, and what folds into what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis_scripts import FLOOR, floor, groups

if TYPE_CHECKING:
    from redis_scripts import Host


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
    # Neither counts as a tag.
    assert host.server.number("ZCOUNT", "p:~groups:q", "(0", "+inf") == 16384
