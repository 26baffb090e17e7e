"""Random steps for a sidecar and its stand-in: requests, some of them faulty, time that passes, connections that end.
What stands for a lease, or a version, is the last that was told of the key, since each side has its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

LEASE = "the key's"
VERSION = 10**15


@dataclass(frozen=True)
class Ask:
    connection: str
    line: str


@dataclass(frozen=True)
class Pass:
    """Time does."""

    seconds: str


@dataclass(frozen=True)
class Leave:
    """A client does."""

    connection: str


Step: TypeAlias = "Ask | Pass | Leave"

# One of each is met again and again: else hardly two steps would have to do with each other.
_KEYS = st.sampled_from(["a", "a", "a", "a", "b", "x:1"])
_NAMES = st.sampled_from(["p", "p", "p", "p", "q"])
_SECONDS = st.sampled_from([0.5, 1, 5, 30, 100, 1.2345])
_ANY_SECONDS = st.one_of(_SECONDS, st.just(0))
_TAGS = st.lists(st.sampled_from(["red", "green", "é"]), min_size=1, max_size=2)
_GLOBS = st.sampled_from(["*", "x:*", "?", "[ab]", "[!a]*", "x\\:1", "*:?*", "[]"])
# The first is before all keys; in which order they come each side has its own way.
_STARTS = st.sampled_from(["0", "", "-", "g"])
_TOKENS = st.just(LEASE)
_VERSIONS = st.just(VERSION)
_FLAG = st.booleans()
_VALUES: SearchStrategy[Any] = st.sampled_from([None, 1, "text", [1, {"a": None}], "ü"])
_ODD: SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1.5, "", "x", [], {}, [1], "y" * 2000, 10**400, ["a", ""]]
)


def _fields(
    required: dict[str, SearchStrategy[Any]], optional: dict[str, SearchStrategy[Any]]
) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


_LIFE: dict[str, SearchStrategy[Any]] = {"ttl": st.one_of(_SECONDS, st.none()), "stale": _ANY_SECONDS}
_CONDITIONS = st.one_of(st.sampled_from(["absent", "present"]), st.fixed_dictionaries({"version": _VERSIONS}))
_ONE_OR_MORE = st.one_of(_fields({"key": _KEYS}, {}), _fields({"keys": st.lists(_KEYS, min_size=1, max_size=3)}, {}))
_READ = _fields(
    {"ns": _NAMES},
    {
        "lease": _FLAG,
        "wait": _ANY_SECONDS,
        "stale": _FLAG,
        "max_age": _ANY_SECONDS,
        "meta": _FLAG,
        "unless": _VERSIONS,
        "strict": _FLAG,
    },
)
_STORED = _fields({"key": _KEYS, "value": _VALUES}, {**_LIFE, "tags": _TAGS})
_LEASED = _fields({"key": _KEYS, "value": _VALUES, "lease": _TOKENS}, {**_LIFE, "tags": _TAGS})
_CONDITIONAL = _fields({"key": _KEYS, "value": _VALUES, "if": _CONDITIONS}, {})
_ITEM = st.one_of(_STORED, _LEASED, _CONDITIONAL)
_COVERED = st.one_of(_fields({}, {"match": _GLOBS}), _fields({"tags": _TAGS}, {}))
_RULE = _fields({"match": _GLOBS}, {"ttl": _SECONDS, "stale": _ANY_SECONDS, "refresh_ahead": st.just("off")})
_CHANGES = _fields(
    {},
    {
        "ttl": st.sampled_from(["10s", 5, None, "1m30s", "soon", 0]),
        "max_ttl": st.sampled_from([20, "none", "1h"]),
        "negative_ttl": st.sampled_from([2, None]),
        "stale": st.sampled_from([0, "10s", 3]),
        "refresh_ahead": st.sampled_from([0.5, "off", 0, 1]),
        "lease_timeout": st.sampled_from(["5s", 30]),
        "max_wait": st.sampled_from([0, 4, "none"]),
        "retry_after": st.sampled_from([0, 3, "2h"]),
        "max_entries": st.sampled_from([1, 2, "none", -1]),
        "rules": st.lists(_RULE, max_size=2),
        "mode": st.sampled_from(["on", "on", "bypass", "read_only", "off", "of"]),
        "strategy": st.sampled_from(["refresh_ahead", "write_through", "write_back"]),
        "behind": st.sampled_from([{"interval": "1s"}, {"max_pending": 5, "x": 1}, 7]),
        "compress": st.sampled_from(["off", {"min_bytes": "4KiB"}]),
        "tiers": st.sampled_from([["memory"], [], "memory", ["disk"]]),
        "max_bytes": st.sampled_from(["1MiB", "none", "1.5 KiB"]),
    },
)


# One that holds, and matters to what follows.
_ONE_CHANGE = st.sampled_from(
    [
        {"stale": 30},
        {"stale": 0},
        {"refresh_ahead": 0.5},
        {"lease_timeout": "5s", "max_wait": 30},
        {"max_entries": 1},
        {"mode": "bypass"},
        {"mode": "read_only"},
        {"mode": "on"},
        {"mode": "on"},
        {"rules": [{"match": "[ab]", "ttl": 5, "stale": 5}]},
        {"negative_ttl": 1},
    ]
)


def _request(op: str, *parts: SearchStrategy[dict[str, Any]]) -> SearchStrategy[dict[str, Any]]:
    """Of fields that stand in several parts."""

    def put_together(found: tuple[dict[str, Any], ...]) -> dict[str, Any]:
        together: dict[str, Any] = {"op": op}
        for part in found:
            together.update(part)
        return together

    together: SearchStrategy[dict[str, Any]] = st.tuples(*parts).map(put_together)
    return together


_IN = _fields({"ns": _NAMES}, {})
_AT = _fields({"ns": _NAMES, "key": _KEYS}, {})
_GETS = _request("get", _READ, _ONE_OR_MORE)
_LOADING = _request("get", _AT, _fields({"lease": st.just(True)}, {"wait": _SECONDS, "meta": _FLAG}))
_FILLS = _request("set", _IN, _LEASED)
_SETS = st.one_of(
    _request("set", _IN, _ITEM),
    _request("set", _IN, _fields({"items": st.lists(_ITEM, min_size=1, max_size=3)}, {})),
)
_RELEASES = _request(
    "release",
    _AT,
    _fields({"lease": _TOKENS}, {}),
    st.one_of(
        _fields({}, {}),
        _fields({"failed": st.just(True)}, {"retry_after": _ANY_SECONDS}),
        _fields({"pass": st.just(True)}, {"retry_after": _ANY_SECONDS}),
    ),
)
_DELETES = _request("delete", _IN, _ONE_OR_MORE, _fields({}, {"soft": _FLAG}))
_CLEARS = _request(
    "clear",
    _fields({"ns": st.sampled_from(["p", "q", "*"])}, {}),
    _COVERED,
    _fields({}, {"soft": _FLAG, "dry_run": _FLAG}),
)
_OTHERS = st.one_of(
    _request("touch", _AT, _fields({}, _LIFE)),
    _request("exists", _AT),
    _request("explain", _AT),
    _request("keys", _IN, _fields({"limit": st.just(1000)}, {"match": _GLOBS, "after": _STARTS})),
    _request("policy", _IN, _fields({"set": _CHANGES}, {})),
    _request("policy", _IN, _fields({"set": _ONE_CHANGE}, {})),
    _request("policy", _IN, _fields({"set": _ONE_CHANGE}, {})),
    _request("policy", _IN),
    _request("stats", _IN),
    _request("ping"),
)
_VALID = st.one_of(
    *(_GETS, _GETS, _LOADING, _LOADING, _LOADING, _SETS, _SETS, _FILLS, _FILLS, _RELEASES, _RELEASES),
    *(_DELETES, _CLEARS, _OTHERS, _OTHERS),
)


@st.composite
def _faulty(draw: DrawFn) -> dict[str, Any]:
    """With a field too many or too few, or one that is not what it should be."""
    found: dict[str, Any] = draw(_VALID)
    name = draw(st.sampled_from([*found, "tll", "keys", "value", "tags", "seconds"]))
    if draw(st.booleans()):
        found.pop(name, None)
    else:
        found[name] = draw(_ODD)
    return found


def _ask(connection: str, found: dict[str, Any]) -> Ask:
    return Ask(connection, json.dumps(found, ensure_ascii=False, separators=(",", ":")))


@st.composite
def _asks(draw: DrawFn) -> Ask:
    found = draw(_faulty() if draw(st.integers(0, 7)) == 0 else _VALID)
    # `advance` is the runner's.
    found["op"] = "ping" if found.get("op") == "advance" else found.get("op")
    if draw(st.integers(0, 5)) == 0:
        found = {"id": draw(st.integers(0, 9)), **found}
    return _ask(draw(st.sampled_from("ABC")), found)


_PASSES = st.sampled_from(["0.5", "1", "2.5", "5", "30", "300"]).map(Pass)
_AT_A = {"ns": "p", "key": "a"}


@st.composite
def _loads(draw: DrawFn) -> list[Step]:
    """One loads a key, others come to it, and the load ends in one of its ways."""
    steps: list[Step] = [_ask("A", {"op": "get", **_AT_A, "lease": True})]
    for connection in draw(st.lists(st.sampled_from("BCD"), max_size=3)):
        asked = {"op": "get", **_AT_A, "lease": draw(_FLAG), "wait": draw(st.sampled_from([1, 5, 100]))}
        steps.append(_ask(connection, {"id": len(steps), **asked} if draw(_FLAG) else asked))
    steps.extend(draw(st.lists(_PASSES, max_size=1)))
    steps.append(draw(st.one_of(_ENDS, _PASSES, st.just(Leave("A")))))
    steps.append(_ask("A", {"op": "get", **_AT_A, "lease": draw(_FLAG)}))
    return steps


_FILLED: list[dict[str, Any]] = [{"value": 1}, {"value": 1, "tags": ["red"]}, {"value": 2, "ttl": 1, "stale": 30}]
_RELEASED: list[dict[str, Any]] = [{}, {"failed": True}, {"pass": True}, {"failed": True, "retry_after": 1}]
_ENDED: list[dict[str, Any]] = [
    {"op": "set", **_AT_A, "value": 3},
    {"op": "delete", **_AT_A},
    {"op": "clear", "ns": "p", "match": "[ab]"},
    {"op": "clear", "ns": "*", "tags": ["red"]},
    {"op": "policy", "ns": "p", "set": {"mode": "read_only"}},
]
_ENDS = st.one_of(
    st.sampled_from(_FILLED).map(lambda more: _ask("A", {"op": "set", **_AT_A, "lease": LEASE, **more})),
    st.sampled_from(_RELEASED).map(lambda more: _ask("A", {"op": "release", **_AT_A, "lease": LEASE, **more})),
    st.sampled_from(_ENDED).map(lambda found: _ask("E", found)),
)


@st.composite
def _lives(draw: DrawFn) -> list[Step]:
    """A value is stored, grows older, and is asked for."""
    stored = draw(st.fixed_dictionaries({"value": _VALUES}, optional={**_LIFE, "tags": _TAGS}))
    steps: list[Step] = [
        _ask("A", {"op": "set", **_AT_A, **stored}),
        _ask("A", {"op": "get", **_AT_A, "meta": True}),
    ]
    for _ in range(draw(st.integers(1, 3))):
        steps.append(draw(_PASSES))
        steps.append(_ask("B", {**draw(_LOOKS), **_AT_A}))
    return steps


_LOOKS: SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"op": "get"},
        {"op": "get", "stale": True, "meta": True},
        {"op": "get", "lease": True, "meta": True},
        {"op": "get", "unless": VERSION, "stale": True},
        {"op": "get", "max_age": 1},
        {"op": "exists"},
        {"op": "explain"},
        {"op": "touch", "ttl": 5, "stale": 5},
        {"op": "delete", "soft": True},
        {"op": "set", "value": 2, "if": {"version": VERSION}},
        {"op": "set", "value": 2, "if": "absent"},
    ]
)


def _alone(step: SearchStrategy[Any]) -> SearchStrategy[list[Step]]:
    return step.map(lambda found: [found])


_PIECES = st.one_of(
    *(_loads(), _loads(), _lives(), _lives(), _alone(_asks()), _alone(_asks()), _alone(_asks()), _alone(_PASSES)),
    _alone(st.sampled_from("ABC").map(Leave)),
)
STEPS: SearchStrategy[list[Step]] = st.lists(_PIECES, min_size=5, max_size=12).map(
    lambda pieces: [step for piece in pieces for step in piece]
)
# What holds where nothing else is said.
DEFAULTS: SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"jitter": 0},
        {"jitter": 0, "ttl": 10, "stale": 30, "refresh_ahead": 0.5},
        {"jitter": 0, "max_entries": 1, "stale": 5, "lease_timeout": 5, "max_wait": 2},
        {"jitter": 0, "negative_ttl": 1, "rules": [{"match": "[ab]", "ttl": 5, "stale": 300}]},
    ]
)
