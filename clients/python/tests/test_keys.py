"""Spellings against the vectors that any client can run, and what a key must never be."""

from __future__ import annotations

import base64
import enum
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pannier import KeySpellingError, NoKey, cached
from pannier._keys import LONGEST_TEXT, escape_glob, spell
from pannier._templates import Template

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "protocol" / "vectors" / "keys.json").read_text(encoding="utf-8")
)["values"]
MADE: dict[str, Any] = {
    "float": float,
    "decimal": Decimal,
    "uuid": UUID,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda text: timedelta(seconds=float(text)),
    "bytes": base64.b64decode,
    "path": PurePosixPath,
    "set": set,
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["spelled"])[:40])
def test_vectors(vector: dict[str, Any]) -> None:
    made = MADE[vector["kind"]](vector["value"]) if "kind" in vector else vector["value"]
    assert spell(made) == vector["spelled"]


class Colour(enum.Enum):
    RED = "r:1"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str, enum.Enum):
    ADA = "ada"


@dataclass
class Point:
    x: int
    y: str


def test_what_has_a_value_of_its_own_is_spelled_by_that() -> None:
    assert [spell(Colour.RED), spell(Level.HIGH), spell(Name.ADA)] == ["r%3A1", "3", "ada"]
    assert spell(Point(1, "b")) == '{"x"%3A1,"y"%3A"b"}'


@given(st.lists(st.text(max_size=5), min_size=2, max_size=3), st.lists(st.text(max_size=5), min_size=2, max_size=3))
def test_no_two_lists_of_texts_are_one_key(one: list[str], other: list[str]) -> None:
    assert (":".join(map(spell, one)) == ":".join(map(spell, other))) == (one == other)


@given(st.text() | st.none())
def test_none_is_no_text(text: str | None) -> None:
    assert (spell(text) == spell(None)) == (text is None)


@given(st.text(min_size=LONGEST_TEXT + 1, max_size=LONGEST_TEXT + 50))
def test_long_texts_are_shortened(text: str) -> None:
    assert len(spell(text)) < 3 * LONGEST_TEXT
    assert spell(text) != spell(text + "x")


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf"), Decimal("NaN"), [object()], lambda: 1])
def test_what_has_no_spelling_is_refused(value: object) -> None:
    with pytest.raises(KeySpellingError, match="no spelling"):
        spell(value)


@pytest.mark.parametrize("value", ["a\ud800", ["\udfff"], {"\ud800": 1}, "x" * LONGEST_TEXT + "\ud800"])
def test_half_of_a_surrogate_pair_is_refused(value: object) -> None:
    with pytest.raises(KeySpellingError, match=r"half of a surrogate pair, '\\ud[8f]"):
        spell(value)


def test_what_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(KeySpellingError, match="contains itself"):
        spell(loop)
    assert spell([[1], [1]]) == "[[1],[1]]"


def test_a_key_is_the_same_in_every_process() -> None:
    program = "from pannier._keys import spell; print(spell({'b', 'a', 'c'}), spell({'y': 1, 'x': 2}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(Path(__file__).parents[1] / "src")},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in range(4)
    }
    assert len(found) == 1


# MARK: Templates


def quiz(user: Point, quiz_id: int, /, page: int = 1, *more: str, draft: bool = False, **rest: str) -> None: ...


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{quiz_id}", "5"),
        ("u:{user.y}:{quiz_id}:{page}", "u:b:5:1"),
        ("{draft}{{{page}}}", "false{1}"),
        ("{more}{rest}", '[]{"a"%3A"b"}'),
        ("fixed", "fixed"),
    ],
)
def test_templates(text: str, key: str) -> None:
    assert Template(text, quiz).key((Point(1, "b"), 5), {"a": "b"}) == key


def test_a_template_binds_as_the_function_does() -> None:
    template = Template("{quiz_id}:{page}:{draft}", quiz)
    assert template.key((Point(1, "b"), 5), {"page": 7, "draft": True}) == "5:7:true"
    with pytest.raises(TypeError, match=r"quiz\(\) missing"):
        template.key((Point(1, "b"),), {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{quizid}", "there is no parameter 'quizid'; there is user, quiz_id"),
        ("{result}", "there is no parameter 'result'"),
        ("{user.__class__}", "is no attribute"),
        ("{user.x()}", "is no attribute"),
        ("{page:>5}", "neither a format nor a conversion"),
        ("{page!r}", "neither a format nor a conversion"),
        ("{}", "there is no parameter ''"),
    ],
)
def test_a_slip_is_found_when_the_function_is_decorated(text: str, why: str) -> None:
    with pytest.raises(TypeError, match=why.replace("(", r"\(")):
        cached("ns", key=text)(quiz)


def test_a_pattern_takes_what_is_filled_in_as_it_is() -> None:
    pattern = Template("u:{name}:*", lambda name: name, is_glob=True)
    assert pattern.is_pattern
    assert pattern.key(("a*[b]",), {}) == "u:a\\*\\[b\\]:*"
    assert not Template("u:{name}:\\*", lambda name: name, is_glob=True).is_pattern
    assert escape_glob("a?\\") == "a\\?\\\\"


# MARK: Keys of all arguments


class AsyncSession:
    __module__ = "sqlalchemy.ext.asyncio.session"


AsyncSession.__module__ = "sqlalchemy.ext.asyncio.session"


def test_the_default_key_leaves_out_what_is_the_calls() -> None:
    @cached("ns")
    def found(session: object, name: str, hint: Annotated[str, NoKey] = "h", page: int = 1) -> str:
        return name

    first = found.key(AsyncSession(), "a")
    assert first == found.key(AsyncSession(), name="a", hint="other", page=1)
    assert first.endswith(".found:name=a:page=1")
    assert first != found.key(AsyncSession(), "b")


def test_an_argument_without_a_spelling_is_named_with_its_cure() -> None:
    @cached("ns")
    def found(thing: object) -> str:
        return ""

    with pytest.raises(TypeError, match=r"the argument 'thing'.*ignore=\['thing'\]"):
        found(object())


def test_methods_leave_out_self_and_ignore_what_is_said() -> None:
    class Service:
        @cached("ns", ignore=["trace"], version=2)
        def load(self, name: str, trace: object) -> str:
            return name

    key = Service.load.key(Service(), "a", object())
    assert key.endswith("Service.load:name=a:v2")
    with pytest.raises(TypeError, match="has no parameter nothing"):
        cached("ns", ignore=["nothing"])(quiz)
