"""Requests as lines and answers out of lines. It knows no sockets: sync and async clients share it."""

from __future__ import annotations

import json
from json.encoder import encode_basestring

from ._errors import RefusedError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PLAIN_HIT = b'{"ok":true,"hit":true,"value":'
_PLAIN_MISS = b'{"ok":true,"hit":false}'
_MANY = b'{"ok":true,"items":[{"hit":'
_VALUE = b',"value":'
_ID = b'{"id":'
# A sign of life.
PING = b'{"op":"ping"}'
# A field that is said to be none, where one that is None is left out.
NULL = object()


class Answer:
    """What an answer says besides its value, and the value's own bytes, undecoded."""

    __slots__ = ("fields", "value")

    def __init__(self, fields: dict[str, Any], value: bytes | None) -> None:
        self.fields = fields
        self.value = value


class ManyAnswer(Answer):
    """To a `get` of several keys: one for each."""

    __slots__ = ("items",)

    def __init__(self, items: list[Answer]) -> None:
        super().__init__({"ok": True}, None)
        self.items = items


_HIT: dict[str, Any] = {"ok": True, "hit": True}
_MISS = Answer({"ok": True, "hit": False}, None)


def line(op: str, fields: dict[str, Any], value: bytes | None = None) -> bytes:
    """A request without id and without its end."""
    return item({"op": op, **fields}, value)


def item(fields: dict[str, Any], value: bytes | None = None) -> bytes:
    """An object of what isn't None; `value`: JSON, which stands last as it is."""
    text = ",".join(f'"{name}":{encoded(field)}' for name, field in fields.items() if field is not None)
    if value is None:
        return b"{" + text.encode() + b"}"
    return b"{" + text.encode() + _VALUE + value + b"}"


def encoded(field: object) -> str:
    if type(field) is str:
        return encode_basestring(field)
    if field is NULL:
        return "null"
    return json.dumps(field, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def get_line(ns: str, key: str, lease: bool, wait: float | None) -> bytes:
    """The commonest request, for which the general way is slow."""
    more = ',"lease":true' if lease else ""
    if wait is not None:
        more += f',"wait":{wait!r}'
    return f"{get_head(ns)}{encode_basestring(key)}{more}}}".encode()


def get_head(ns: str) -> str:
    """What stands before the key."""
    return f'{{"op":"get","ns":{encode_basestring(ns)},"key":'


def parse(answer: bytes) -> Answer:
    """A whole answer without its line feed. An error is raised as what it says, and so is what is no answer."""
    if answer.startswith(PLAIN_HIT):
        return Answer(_HIT, answer[len(PLAIN_HIT) : -1])
    if answer == _PLAIN_MISS:
        return _MISS
    if answer.startswith(_MANY):
        return ManyAnswer(_items(answer.decode()))
    # A quote inside of a string is escaped: so the first that stands so is the member's name.
    place = answer.find(_VALUE)
    if place >= 0 and answer.startswith(b'{"ok":true,"hit"'):
        return Answer(_members(answer[:place] + b"}"), answer[place + len(_VALUE) : -1])
    fields = _members(answer)
    if fields.get("ok") is not True:
        error: dict[str, str] = fields.get("error") or {}
        raise RefusedError(error.get("code", "internal"), error.get("message", ""))
    return Answer(fields, None)


def _members(text: bytes) -> dict[str, Any]:
    # An object is all that a line may be.
    if text.startswith(b"{"):
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:
            pass
        else:
            return found
    raise UnavailableError(f"what listens there is no sidecar: it says {text[:40]!r}")


def _items(answer: str) -> list[Answer]:
    """Each value as its own bytes: where it ends only a JSON parser knows."""
    found: list[Answer] = []
    place = answer.index("[") + 1
    while answer[place] == "{":
        _, end = _decode_at(answer, place)
        text = answer[place:end]
        name = text.find(_VALUE_TEXT)
        if name < 0:
            found.append(Answer(json.loads(text), None))
        else:
            found.append(Answer(json.loads(text[:name] + "}"), text[name + len(_VALUE_TEXT) : -1].encode()))
        # The comma, or the end of the list.
        place = end + 1
    return found


_VALUE_TEXT = _VALUE.decode()
_decode_at = json.JSONDecoder().raw_decode


def split_id(answer: bytes) -> tuple[int, bytes]:
    """The id that this client gave, and the answer as if it had none; -1: it has none of ours."""
    if answer.startswith(_ID):
        end = answer.find(b",", len(_ID))
        try:
            return int(answer[len(_ID) : end]), b"{" + answer[end + 1 :]
        except ValueError:
            pass
    return -1, answer
