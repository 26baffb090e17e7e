"""Rows of SQLModel's tables out of JSON, as a query would have given them: of their types, and detached. It knows no
JSON.

SQLModel takes what a row is made of as it is: of what pydantic hands it out of JSON a UUID would stay a text. So the
fields are validated by themselves, and the row is made of what they are then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator


class _Fields:
    """What pydantic sets on what it makes."""

    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")


def validator_for(adapter: TypeAdapter[Any]) -> SchemaValidator | None:
    """None: there are no rows in the type, and its own validator does."""
    schema, has_rows = _with_rows(adapter.core_schema)
    if not has_rows:
        return None
    from pydantic_core import SchemaValidator

    return SchemaValidator(schema)


def _with_rows(schema: Any) -> tuple[Any, bool]:
    """The schema with each table's replaced, wherever in it that stands, and whether there is any."""
    if isinstance(schema, list):
        parts = [_with_rows(part) for part in cast("list[object]", schema)]
        return [part for part, _ in parts], any(has_rows for _, has_rows in parts)
    if not isinstance(schema, dict):
        return schema, False
    members = {name: _with_rows(part) for name, part in cast("dict[str, object]", schema).items()}
    node = {name: part for name, (part, _) in members.items()}
    has_rows = any(has for _, has in members.values())
    kind = node.get("cls")
    if node.get("type") != "model":
        return node, has_rows
    if getattr(kind, "__table__", None) is not None:
        return _made_by(_row, node, kind), True
    # pydantic would validate by what the model has built before, and so would SQLModel's own `__init__`.
    if has_rows and (not node.get("custom_init") or _is_of_sqlmodel(kind)):
        return _made_by(_model, node, kind), True
    return node, has_rows


def _is_of_sqlmodel(kind: Any) -> bool:
    return getattr(kind.__init__, "__module__", "") == "sqlmodel.main"


def _made_by(make: Callable[[Any, str | None, Any], Any], node: dict[str, Any], kind: Any) -> dict[str, Any]:
    # Others refer to it by its name, which goes to what stands in its place.
    named = {"ref": node.pop("ref")} if "ref" in node else {}
    post_init = node.pop("post_init", None)
    fields = {**node, "cls": _Fields, "custom_init": False}
    function: dict[str, object] = {"type": "no-info", "function": partial(make, kind, post_init)}
    return {"type": "function-after", "schema": fields, "function": function, **named}


def _row(kind: Any, _: str | None, made: Any) -> Any:
    from sqlalchemy.orm import class_mapper, make_transient_to_detached
    from sqlalchemy.orm.attributes import instance_state, manager_of_class

    # A process may be shown a row before it has made one, or asked for one.
    class_mapper(kind)
    row = manager_of_class(kind).new_instance()
    instance_state(row).dict.update(made.__dict__)
    _mark(row, made)
    # No new one: a relation that isn't loaded raises, and is not empty.
    make_transient_to_detached(row)
    return row


def _model(kind: Any, post_init: str | None, made: Any) -> Any:
    model = kind.__new__(kind)
    object.__setattr__(model, "__dict__", made.__dict__)
    _mark(model, made)
    if post_init is not None:
        getattr(model, post_init)(None)
    return model


def _mark(model: Any, made: Any) -> None:
    for name in ("__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__"):
        object.__setattr__(model, name, getattr(made, name))
