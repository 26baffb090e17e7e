"""A request line taken apart: its op, its id, and that it has no field which the op doesn't. What the fields must be is
`_fields`' matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._fields import Fields
from ._json import JSONError, Node, Reader
from ._refusal import RefusalError, unknown_name

if TYPE_CHECKING:
    from ._limits import Limits

# In the order in which messages list them.
_FIELDS: Final[tuple[str, ...]] = (
    *("id", "op", "ns", "key", "keys", "items", "value", "ttl", "stale", "tags", "if", "soft", "match", "limit"),
    *("after", "max_age", "unless", "meta", "dry_run", "client", "events", "sample", "set", "seconds", "lease"),
    *("wait", "failed", "pass", "retry_after", "strict"),
)
_OPS: Final = {
    "hello": "client",
    "ping": "",
    "get": "ns key keys lease wait stale max_age strict meta unless",
    "set": "ns key items value ttl stale tags lease if",
    "release": "ns key lease failed pass retry_after",
    "delete": "ns key keys soft",
    "touch": "ns key ttl stale",
    "exists": "ns key",
    "keys": "ns match limit after",
    "clear": "ns match tags soft dry_run",
    "stats": "ns",
    "policy": "ns set",
    "explain": "ns key",
    "watch": "ns events sample",
    "advance": "seconds",
}
OPS: Final = tuple(_OPS)
ITEM: Final = "key value ttl stale tags lease if"
# Of an id's text as written.
_ID_BYTES: Final = 64


class Request:
    __slots__ = ("fields", "id", "op")

    def __init__(self, op: str, identity: str | None, fields: Fields) -> None:
        self.op = op
        self.id = identity
        self.fields = fields


def read(line: bytes, limits: Limits) -> Request:
    """Raises a RefusalError, with the id where that stood before the fault."""
    members: dict[str, Node] = {}
    try:
        return _read(line, limits, members)
    except RefusalError as refusal:
        refusal.id = _id(members)
        raise


def _read(line: bytes, limits: Limits, members: dict[str, Node]) -> Request:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise RefusalError("bad_utf8", "the line is not UTF-8") from None
    reader = Reader(text, limits.nesting)
    try:
        read_members(reader, members, "a request is one JSON object")
        if reader.peek():
            raise reader.fault("something stands behind the object")
    except JSONError as fault:
        raise RefusalError("bad_json", str(fault)) from None
    identity = _id(members)
    if "id" in members and identity is None:
        if members["id"].kind == "string" and members["id"].text() is None:
            raise RefusalError("bad_json", '"id" has half of a surrogate pair')
        raise RefusalError("bad_request", f'"id" must be a string of at most {_ID_BYTES} bytes, or an integer')
    op = _op(members)
    refuse_strangers(members, f"id op {_OPS[op]}", f"{op} has")
    return Request(op, identity, Fields(op, members, limits))


def read_members(reader: Reader, members: dict[str, Node], problem: str) -> None:
    """The members of an object, in `members` as far as they can be read. None may stand twice, in whatever spelling."""
    if reader.peek() != "{":
        raise reader.fault(problem)
    for node in reader.members():
        name = node.text()
        if name is None:
            raise reader.fault("a name has half of a surrogate pair")
        if name in members:
            raise reader.fault(f'"{name}" stands twice')
        reader.colon()
        members[name] = reader.value()


def refuse_strangers(members: dict[str, Node], own: str, owner: str) -> None:
    known = own.split()
    strange = [name for name in members if name not in _FIELDS] or [
        name for name in _FIELDS if name in members and name not in known
    ]
    if strange:
        listed = [name for name in _FIELDS if name in known]
        raise RefusalError("bad_request", unknown_name("field", strange[0], listed, owner))


def _id(members: dict[str, Node]) -> str | None:
    node = members.get("id")
    if node is None or node.kind not in ("string", "integer"):
        return None
    text = node.raw[1:-1] if node.kind == "string" else node.raw
    if len(text.encode()) > _ID_BYTES or (node.kind == "string" and node.text() is None):
        return None
    return node.raw


def _op(members: dict[str, Node]) -> str:
    node = members.get("op")
    if node is None:
        raise RefusalError("bad_request", 'a request needs "op"')
    if node.kind != "string":
        raise RefusalError("bad_request", '"op" must be a string')
    name = node.text()
    if name is None:
        raise RefusalError("bad_json", '"op" has half of a surrogate pair')
    if name not in _OPS:
        raise RefusalError("unknown_op", unknown_name("op", name, list(_OPS), "there are"))
    return name
