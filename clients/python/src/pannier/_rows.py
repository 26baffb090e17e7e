"""Rows of SQLModel's tables out of JSON, as a query would have given them: of their types, and detached. It knows no
JSON.

SQLModel takes what a row is made of as it is: of what pydantic hands it out of JSON a UUID would stay a text. So the
fields are validated by themselves, and the row is made of what they are then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator


class _Fields:
    """What pydantic sets on what it makes."""

    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")


def validator_for(adapter: TypeAdapter[Any]) -> SchemaValidator | None:
    """None: there are no rows in the type, and its own validator does."""
    found: list[type] = []
    schema = _with_rows(adapter.core_schema, found)
    if not found:
        return None
    from pydantic_core import SchemaValidator

    return SchemaValidator(schema)


def _with_rows(schema: Any, found: list[type]) -> Any:
    """The schema with each table's replaced, wherever in it that stands."""
    if isinstance(schema, list):
        return [_with_rows(part, found) for part in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = {name: _with_rows(part, found) for name, part in cast("dict[str, object]", schema).items()}
    kind = node.get("cls")
    if node.get("type") != "model":
        return node
    if getattr(kind, "__table__", None) is None:
        # SQLModel's own `__init__` would validate by the schema as it was.
        if getattr(getattr(kind, "__init__", None), "__module__", "") == "sqlmodel.main":
            node["custom_init"] = False
        return node
    found.append(cast("type", kind))
    # Others refer to it by its name, which goes to what stands in its place.
    named = {"ref": node.pop("ref")} if "ref" in node else {}
    fields = {**node, "cls": _Fields, "custom_init": False}
    function: dict[str, object] = {"type": "no-info", "function": partial(_row, kind)}
    return {"type": "function-after", "schema": fields, "function": function, **named}


def _row(kind: Any, made: Any) -> Any:
    from sqlalchemy.orm import class_mapper, make_transient_to_detached
    from sqlalchemy.orm.attributes import instance_state, manager_of_class

    # A process may be shown a row before it has made one, or asked for one.
    class_mapper(kind)
    row = manager_of_class(kind).new_instance()
    instance_state(row).dict.update(made.__dict__)
    for name in ("__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__"):
        object.__setattr__(row, name, getattr(made, name))
    # No new one: a relation that isn't loaded raises, and is not empty.
    make_transient_to_detached(row)
    return row
