"""Any value of each kind that a function may say it returns comes back equal and of the same type, each time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from pannier._values import codec_for


class Question(BaseModel):
    text: str
    points: Decimal


class Quiz(BaseModel):
    id: UUID
    made: datetime
    takes: timedelta
    day: date
    questions: list[Question]
    best: Question | None


@dataclass
class Point:
    x: int
    y: float


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Card(SQLModel, table=True):
    id: UUID = Field(primary_key=True)
    title: str
    made: datetime


TEXTS = st.text(max_size=20)
NUMBERS = st.integers(-(2**70), 2**70)
# Offsets are minutes: RFC 3339 has no finer ones.
ZONES = st.builds(timezone, st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=ZONES)
# What a double holds, and a column of any database.
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4)
QUESTIONS = st.builds(Question, text=TEXTS, points=DECIMALS)
QUIZZES = st.builds(
    Quiz,
    id=st.uuids(),
    made=MOMENTS,
    takes=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10**6)),
    day=st.dates(),
    questions=st.lists(QUESTIONS, max_size=3),
    best=st.none() | QUESTIONS,
)
POINTS = st.builds(Point, NUMBERS, st.floats(allow_nan=False, allow_infinity=False))
CARDS = st.builds(Card, id=st.uuids(), title=TEXTS, made=MOMENTS)

KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "dict": (dict, st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | NUMBERS)),
    "model": (Quiz, QUIZZES),
    "models": (list[Quiz], st.lists(QUIZZES, max_size=3)),
    "model or none": (Quiz | None, st.none() | QUIZZES),
    "dataclass": (Point, POINTS),
    "uuid": (UUID, st.uuids()),
    "date": (date, st.dates()),
    "datetime": (datetime, MOMENTS | st.datetimes()),
    "timedelta": (timedelta, st.timedeltas()),
    "decimal": (Decimal, DECIMALS),
    "enum": (Colour, st.sampled_from(Colour)),
    "tuple": (tuple[int, ...], st.lists(NUMBERS).map(tuple)),
    "pair": (tuple[int, str], st.tuples(NUMBERS, TEXTS)),
    "set": (set[str], st.sets(TEXTS)),
    "set of numbers": (set[int], st.sets(NUMBERS)),
    "bytes": (bytes, st.binary()),
    "by number": (dict[int, str], st.dictionaries(NUMBERS, TEXTS)),
    "none": (None, st.none()),
    "untyped": (Any, st.none() | st.booleans() | TEXTS | st.lists(NUMBERS)),
    "row": (Card, CARDS),
    "rows": (list[Card], st.lists(CARDS, max_size=3)),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    annotation, values = KINDS[kind]
    value = data.draw(values)
    codec = codec_for(annotation)
    stored = codec.encode(value)
    once, again = codec.decode(stored), codec.decode(stored)
    for found in (once, again):
        assert found == value
        assert type(found) is type(value)
    # The caller may change what it gets.
    assert once is not again or not isinstance(value, (dict, list, set, BaseModel, Point))
    assert codec.decode(codec.encode(once)) == value
