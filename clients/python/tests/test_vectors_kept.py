"""The protocol's vectors of keys and values, through the client into the sidecar and into the fake, and back."""

from __future__ import annotations

from typing import Any, cast

import pytest
import test_keys
import test_values

from pannier import _calls as calls
from pannier import cache, cached


@pytest.fixture(params=["pannier_fake", "pannier_sidecar"], autouse=True)
def kept_by(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


def test_keys_are_kept_as_they_are_spelled() -> None:
    @cached("keys", key="k:{value}")
    def known(value: Any) -> bool:
        return True

    for vector in test_keys.VECTORS:
        made = test_keys.MADE[vector["kind"]](vector["value"]) if "kind" in vector else vector["value"]
        assert known(made) is True
    spelled = {f"k:{vector['spelled']}" for vector in test_keys.VECTORS}
    assert set(cache.sync.keys("keys", limit=1000)) == spelled


def test_values_are_kept_as_they_are_written() -> None:
    for number, vector in enumerate(test_values.VECTORS):
        kind, made = test_values.MADE[vector["kind"]]
        value, key = made(vector["value"]), str(number)
        store = cache.sync.namespace("values", cast("type[Any]", kind))
        assert store.set(key, value) is True
        kept = cache.sync.ask(calls.get("values", key)).value
        assert kept is not None
        assert kept.decode() == vector.get("written", vector["read"])
        # Written by another client.
        assert cache.sync.ask(calls.set_value("values", key, vector["read"].encode())) is True
        assert store.get(key) == value
