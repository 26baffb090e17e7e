"""The JSON Schemas of `protocol/schema`, and the judging of lines by them. It knows no sockets and no transcripts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from jsonschema import Draft202012Validator
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema.exceptions import ValidationError
    from referencing.jsonschema import SchemaRegistry, SchemaResource

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

FOLDER = Path(__file__).parents[2] / "protocol" / "schema"


def names() -> list[str]:
    """What lines there are schemas for: `get.request`, `get.answer`, …, `error.answer`, `event`."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "common")


def parse(line: str) -> Json:
    """The line as JSON. Python takes more than RFC 8259 does (NaN, names twice): that is not a schema's matter."""
    return cast("Json", json.loads(line))


def faults(name: str, instance: Json) -> list[str]:
    """What the schema finds wrong; nothing where it fits."""
    found = cast("Iterable[ValidationError]", _validator(name).iter_errors(instance))  # pyright: ignore[reportUnknownMemberType]
    return [f"{error.json_path}: {error.message}" for error in found]


@dataclass(frozen=True)
class Exchange:
    """An answer, and the request that it answers; an event answers none."""

    request: str | None
    answer: str


class Pairing:
    """Finds out which request of a connection a line answers: by its id, else the first that is waiting."""

    def __init__(self) -> None:
        # Each with its id, or with True where it can't be read: the server may have seen one before the fault.
        self._waiting: list[tuple[str, Json]] = []

    def sent(self, request: str) -> None:
        try:
            parsed = parse(request)
        except ValueError:
            self._waiting.append((request, True))
            return
        self._waiting.append((request, parsed.get("id") if isinstance(parsed, dict) else None))

    def received(self, answer: str, parsed: Json) -> Exchange:
        if isinstance(parsed, dict) and "event" in parsed:
            return Exchange(None, answer)
        wanted = parsed.get("id") if isinstance(parsed, dict) else None
        for index, (request, request_id) in enumerate(self._waiting):
            if request_id is True or request_id == wanted or wanted is None:
                del self._waiting[index]
                return Exchange(request, answer)
        raise AssertionError(f"an answer to no request: {answer}")


def judge(exchange: Exchange, parsed: Json) -> list[str]:
    """What is wrong with a request and its answer together."""
    if exchange.request is None:
        return faults("event", parsed)
    op = _op(exchange.request)
    if isinstance(parsed, dict) and parsed.get("ok") is False:
        return faults("error.answer", parsed) + _refused_rightly(exchange.request, op, parsed)
    if f"{op}.answer" not in names():
        return [f"no schema for an answer to {op}"]
    return faults(f"{op}.answer", parsed) + faults(f"{op}.request", parse(exchange.request))


def _op(request: str) -> str | None:
    try:
        parsed = parse(request)
    except ValueError:
        return None
    op = parsed.get("op") if isinstance(parsed, dict) else None
    return op if isinstance(op, str) else None


# Faults that JSON Schema has no words for: a length in bytes, a spelling of a number, the grammar of a glob, a setting.
_BEYOND_A_SCHEMA = re.compile(r"\b(id|limit|limits\.[a-z_]+|match)\b")


def _refused_rightly(request: str, op: str | None, answer: dict[str, Json]) -> list[str]:
    error = answer.get("error")
    code, message = (error.get("code"), str(error.get("message"))) if isinstance(error, dict) else (None, "")
    if code == "unknown_op" and f"{op}.request" in names():
        return [f"{op} has a schema, so it should be known"]
    if code != "bad_request" or f"{op}.request" not in names() or faults(f"{op}.request", parse(request)):
        return []
    if _BEYOND_A_SCHEMA.search(message):
        return []
    return [f"refused ({message}), though it fits the schema: {request}"]


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(_read(name), registry=_registry())


@cache
def _registry() -> SchemaRegistry:
    common: SchemaResource = DRAFT202012.create_resource(_read("common"))
    registry: SchemaRegistry = EMPTY_REGISTRY.with_resource("common.json", common)
    return registry


@cache
def _read(name: str) -> dict[str, Json]:
    schema = parse((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(schema, dict)
    Draft202012Validator.check_schema(schema)
    return schema
