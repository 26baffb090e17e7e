"""Rows of SQLModel's tables come back as a query would have given them, wherever in a result they stand."""

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, PrivateAttr
from sqlalchemy import inspect
from sqlalchemy.orm.exc import DetachedInstanceError
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine

from pannier._values import codec_for


class Shelf(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    price: Decimal
    made_at: datetime
    books: list["Book"] = Relationship(back_populates="shelf")


class Book(SQLModel, table=True):
    id: int = Field(primary_key=True)
    title: str | None = None
    shelf_id: UUID = Field(foreign_key="shelf.id")
    shelf: Shelf = Relationship(back_populates="books")


class Room(SQLModel):
    """No table, but rows in it."""

    best: Shelf
    books: dict[str, list[Book]]


class Wing(BaseModel):
    rooms: list[Room]
    name: str
    _length: int = PrivateAttr(default=0)

    def model_post_init(self, context: Any) -> None:
        self._length = len(self.name)


def shelf() -> Shelf:
    return Shelf(price=Decimal("1.5"), made_at=datetime(2026, 1, 2, tzinfo=timezone.utc))


def back(annotation: Any, value: Any) -> Any:
    codec = codec_for(annotation)
    return codec.decode(codec.encode(value))


def test_a_row_s_fields_are_of_their_types() -> None:
    kept = shelf()
    row = back(Shelf, kept)
    assert type(row) is Shelf
    assert (row.id, row.price, row.made_at) == (kept.id, kept.price, kept.made_at)
    assert row == kept


def test_rows_are_rows_wherever_they_stand() -> None:
    kept = shelf()
    book = Book(id=3, title="Logic", shelf_id=kept.id)
    assert back(list[Shelf], [kept]) == [kept]
    assert back(Shelf | None, kept) == kept  # type: ignore[arg-type,unused-ignore]
    assert back(Shelf | None, None) is None  # type: ignore[arg-type,unused-ignore]
    room = back(Room, Room(best=kept, books={"new": [book, book]}))
    assert (room.best, room.books) == (kept, {"new": [book, book]})
    assert all(inspect(row).detached for row in (room.best, *room.books["new"]))
    # pydantic has validators of models built already, which know nothing of this.
    wing = Wing(rooms=[Room(best=kept, books={})], name="east")
    assert back(list[Room], [room]) == [room]
    found = back(Wing | None, wing)  # type: ignore[arg-type,unused-ignore]
    assert (found, found.rooms[0].best) == (wing, kept)
    assert inspect(found.rooms[0].best).detached


def test_a_row_is_detached_so_that_a_relation_raises() -> None:
    row = back(Shelf, shelf())
    assert inspect(row).detached
    with pytest.raises(DetachedInstanceError):
        assert row.books


def test_a_row_may_be_the_first_of_its_table_that_a_process_sees() -> None:
    class Lamp(SQLModel, table=True):
        id: UUID = Field(primary_key=True)

    row = codec_for(Lamp).decode(b'{"id":"6ba7b811-9dad-11d1-80b4-00c04fd430c8"}')
    assert row.id == UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def test_what_is_no_row_any_more_is_none() -> None:
    with pytest.raises(ValueError, match="made_at"):
        codec_for(Shelf).decode(b'{"id":"6ba7b811-9dad-11d1-80b4-00c04fd430c8","price":"1"}')


def test_a_row_can_be_changed_in_a_session() -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[Shelf.__table__, Book.__table__])  # type: ignore[attr-defined]
    kept = shelf()
    with Session(engine, expire_on_commit=False) as session:
        session.add(kept)
        session.commit()
    row = back(Shelf, kept)
    with Session(engine) as session:
        session.add(row)
        row.price = Decimal(2)
        session.commit()
        assert row.books == []
    with Session(engine) as session:
        found = session.get(Shelf, kept.id)
        assert found is not None
        assert found.price == 2
    engine.dispose()
