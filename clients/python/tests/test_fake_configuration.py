"""What the fake is configured as, and how far its clock goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pannier import cache
from pannier.testing import FakeCache


def test_policies_are_the_configurations() -> None:
    namespaces: dict[str, Any] = {"users": {"ttl": "1m", "rules": [{"match": "admin:*", "ttl": 5}]}}
    with FakeCache(defaults={"ttl": "1h"}, namespaces=namespaces, unknown_namespaces="create") as fake:
        cache.sync.set("users", "u", 1)
        cache.sync.set("users", "admin:u", 1)
        cache.sync.set("others", "u", 1)
        entries = [cache.sync.get_entry(*place) for place in (("users", "u"), ("users", "admin:u"), ("others", "u"))]
        assert [entry.ttl for entry in entries if entry] == [60, 5, 3600]
        assert cache.sync.policy("users", ttl="2m")["ttl"] == 120
        assert fake.stats("users")["sets"] == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"defaults": {"tll": 1}}, 'defaults: unknown field "tll", did you mean "ttl"'),
        ({"namespaces": {"a b": {}}}, '"a b" is no name'),
        ({"namespaces": {"a": {"ttl": "soon"}}}, 'namespaces.a.ttl: "soon" is not a duration'),
        ({"unknown_namespaces": "maybe"}, "create | refuse"),
        ({"limits": {"items": 0}}, "limits.items is 0"),
        ({"limits": {"itmes": 1}}, "there is no limit 'itmes'"),
        ({"limits": {"shown": 1}}, "there is no limit 'shown'"),
        ({"memory": "much"}, 'memory: "much" is not a size'),
    ],
)
def test_a_faulty_configuration_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("|", r"\|")):
        FakeCache(**wrong)


def test_limits_are_told_exactly() -> None:
    with FakeCache(limits={"output_time": "1234.567", "line_time": "1d", "waiting": 1_234_567}):
        answer: dict[str, Any] = json.loads(cache.sync.link.exchange(b'{"op":"hello"}'))
    limits = answer["limits"]
    assert (limits["output_time"], limits["line_time"], limits["waiting"]) == (1234.567, 86400, 1_234_567)


def test_it_says_how_far_its_clock_can_go(pannier_fake: FakeCache) -> None:
    pannier_fake.advance("5000d")
    with pytest.raises(ValueError, match="14 years"):
        pannier_fake.advance("200d")
    with pytest.raises(ValueError, match="is no time"):
        pannier_fake.advance(0)
