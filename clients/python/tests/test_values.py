"""Results come back equal and of the same type, at the first call and at later ones alike."""

from __future__ import annotations

import base64
import enum
import json
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pannier import NotCacheableError, cached
from pannier._values import codec_for

if TYPE_CHECKING:
    from daemon import Daemon


class Question(BaseModel):
    text: str
    points: Decimal = Decimal("1.50")


class Quiz(BaseModel):
    id: UUID
    title: str
    made: datetime
    questions: list[Question] = []


@dataclass
class Point:
    x: int
    y: float


class Colour(enum.Enum):
    RED = "red"


QUIZ = Quiz(
    id=uuid4(), title="Ünï", made=datetime(2026, 11, 26, tzinfo=timezone.utc), questions=[Question(text="why?")]
)
KINDS: list[tuple[object, Any]] = [
    (dict, {"a": [1, None, 2.5, {"b": True}]}),
    (Quiz, QUIZ),
    (list[Quiz], [QUIZ, QUIZ]),
    (Quiz | None, QUIZ),
    (Quiz | None, None),
    (Point, Point(1, 2.5)),
    (UUID, uuid4()),
    (date, date(2026, 11, 26)),
    (datetime, datetime(2026, 11, 26, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))),
    (datetime, datetime(2026, 11, 26, 1, 2, 3)),
    (timedelta, timedelta(days=1, microseconds=5)),
    (Decimal, Decimal("1.10")),
    (Colour, Colour.RED),
    (tuple[int, ...], (1, 2)),
    (tuple[int, str], (1, "a")),
    (set[int], {3, 1}),
    (bytes, b"\x00\xff"),
    (dict[int, str], {1: "a"}),
    (type(None), None),
    (str, "\u2028 \ud7ff"),
    (int, 2**70),
    (bool, True),
    (float, 0.1),
    (list, [1, "a"]),
    (Any, {"a": 1}),
    (Any, None),
]


@pytest.mark.parametrize(("kind", "value"), KINDS, ids=lambda part: str(part)[:30])
def test_first_and_later_calls_are_alike(sidecar: Daemon, kind: object, value: Any) -> None:
    calls = 0

    @cached("kinds", key="k", returns=kind)
    def found() -> Any:
        nonlocal calls
        calls += 1
        return value

    first, second = found(), found()
    assert calls == 1
    assert first == second == value
    assert type(first) is type(second) is type(value)


def test_the_annotation_says_it(sidecar: Daemon) -> None:
    @cached("kinds", key="annotated")
    def found() -> dict[UUID, list[Point]]:
        return {QUIZ.id: [Point(1, 2)]}

    assert found() == found() == {QUIZ.id: [Point(1, 2)]}


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, {1, 2}, QUIZ.id, b"a"])
def test_what_nothing_says_the_type_of_is_not_kept(sidecar: Daemon, value: Any) -> None:
    """It would come back as something else."""
    calls = 0

    @cached("kinds", key="untyped", returns=Any)
    def found() -> Any:
        nonlocal calls
        calls += 1
        return value

    assert found() == found() == value
    assert calls == 2


def test_what_is_not_as_annotated_is_not_kept(sidecar: Daemon) -> None:
    for kind, value in ((int, "1"), (dict, [1]), (Quiz, {"title": "no quiz"})):
        with pytest.raises(NotCacheableError):
            codec_for(kind).encode(value)


def test_what_is_changed_by_its_caller_stays_as_it_was(sidecar: Daemon) -> None:
    @cached("kinds", key="mutable")
    def found() -> list[int]:
        return [1]

    found().append(2)
    found().append(3)
    assert found() == [1]


def test_what_no_longer_validates_is_a_miss_and_replaced(sidecar: Daemon) -> None:
    @cached("kinds", key="deployed", returns=dict)
    def before() -> Any:
        return {"title": "old"}

    @cached("kinds", key="deployed")
    def after() -> Quiz:
        return QUIZ

    before()
    assert after() == QUIZ
    assert after.get() == QUIZ


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    codec = codec_for(Any)
    assert codec.decode(codec.encode(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False), st.binary(), st.timedeltas())
def test_types_come_back_as_they_were(number: Decimal, data: bytes, span: timedelta) -> None:
    for kind, value in ((Decimal, number), (bytes, data), (timedelta, span)):
        codec = codec_for(kind)
        assert codec.decode(codec.encode(value)) == value


VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "protocol" / "vectors" / "values.json").read_text(encoding="utf-8")
)["values"]
MADE: dict[str, tuple[object, Any]] = {
    "uuid": (UUID, UUID),
    "datetime": (datetime, datetime.fromisoformat),
    "date": (date, date.fromisoformat),
    "timedelta": (timedelta, lambda text: timedelta(seconds=float(text))),
    "decimal": (Decimal, Decimal),
    "bytes": (bytes, base64.b64decode),
    "set": (set[str], set),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["read"]))
def test_vectors(vector: dict[str, Any]) -> None:
    annotation, made = MADE[vector["kind"]]
    codec = codec_for(annotation)
    value = made(vector["value"])
    assert codec.decode(vector["read"].encode()) == value
    assert codec.encode(value).decode() == vector.get("written", vector["read"])


class Answer(msgspec.Struct):
    text: str
    points: Decimal
    given: datetime | None = None
    by: UUID | None = None


ANSWER = Answer("42", Decimal("1.10"), datetime(2026, 11, 26, tzinfo=timezone.utc), UUID(int=7))


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Answer, ANSWER), (list[Answer], [ANSWER, ANSWER]), (Answer | None, None), (dict[str, Answer], {"a": ANSWER})],
)
def test_structs_come_back(kind: object, value: Any) -> None:
    codec = codec_for(kind)
    raw = codec.encode(value)
    found = codec.decode(raw)
    assert found == value
    assert type(found) is type(value)
    with pytest.raises(ValueError, match="Expected"):
        codec.decode(b"7")


def test_a_struct_that_is_not_what_the_function_says_is_not_kept() -> None:
    with pytest.raises(NotCacheableError):
        codec_for(Answer).encode({"text": "42", "points": "1.10"})
    with pytest.raises(NotCacheableError):
        codec_for(Answer).encode(object())


def test_msgspec_does_for_other_types_where_pydantic_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pannier._values._is_installed", lambda name: name == "msgspec")
    for kind, value in ((Point, Point(1, 2.5)), (set[int], {1, 3}), (tuple[int, str], (1, "a")), (UUID, UUID(int=1))):
        codec = codec_for(kind)
        assert codec.decode(codec.encode(value)) == value
    # As the other writes it, too.
    assert codec_for(UUID).decode(b'"00000000-0000-0000-0000-000000000007"') == UUID(int=7)


def test_neither_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pannier._values._is_installed", lambda name: False)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(TypeError, match="needs pydantic or msgspec to come back as it was"):
        codec_for(Point)


@pytest.mark.parametrize("raw", [b"1e400", b'"\\ud800"', b"18446744073709551616", b"-1.5", b'{"a":[1,1.0,null]}'])
def test_plain_json_is_read_as_the_standard_library_does(raw: bytes) -> None:
    found = codec_for(Any).decode(raw)
    assert found == json.loads(raw)
    assert type(found) is type(json.loads(raw))
