"""What a `set` stores: one item in the request itself, or a list of them. All of it is read, and looked at, before any
is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._changes import Item
from ._entries import cost_of
from ._fields import Fields
from ._json import JSONError, Reader
from ._refusal import RefusalError
from ._request import ITEM, read_members, refuse_strangers

if TYPE_CHECKING:
    from ._json import Node
    from ._policy import Policy


def one_item(fields: Fields) -> Item:
    if "key" not in fields:
        raise RefusalError("bad_request", 'set needs "key" and "value", or "items"')
    return _item(fields, "set")


def many_items(fields: Fields) -> list[Item]:
    misplaced = [name for name in ITEM.split() if name in fields]
    if misplaced:
        raise RefusalError("bad_request", f'"{misplaced[0]}" beside "items"; it belongs in each item')
    return [_read_item(node, index, fields) for index, node in enumerate(fields.elements("items"))]


def _read_item(node: Node, index: int, fields: Fields) -> Item:
    if node.kind != "object":
        raise RefusalError("bad_request", f'"items[{index}]" must be an object')
    members: dict[str, Node] = {}
    try:
        read_members(Reader(node.raw, fields.limits.nesting), members, "an item is an object")
    except JSONError as wrong:
        raise RefusalError("bad_json", f"in items[{index}], {wrong}") from None
    try:
        refuse_strangers(members, ITEM, "an item has")
    except RefusalError as refusal:
        raise RefusalError(refusal.code, f"in items[{index}]: {refusal.message}") from None
    if "key" not in members:
        raise RefusalError("bad_request", f'items[{index}] needs "key"')
    return _item(Fields("set", members, fields.limits, f"items[{index}]."), f"items[{index}]")


def _item(fields: Fields, owner: str) -> Item:
    if "value" not in fields:
        raise RefusalError("bad_request", f'{owner} needs "value"')
    key, value = fields.one_key(), fields.members["value"].raw.encode()
    ttl, stale, tags = fields.ttl(), fields.span("stale"), list(dict.fromkeys(fields.tags()))
    condition = fields.condition()
    return Item(key, value, ttl, stale, tags, condition, fields.lease())


def admit(item: Item, policy: Policy, place: str) -> None:
    """Looks at a value before anything is changed."""
    what = f'"{place}value" has {len(item.value)} bytes'
    most: int = policy.values["max_value_bytes"]
    if len(item.value) > most:
        raise RefusalError("value_too_large", f"{what}; the namespace's max_value_bytes is {most}")
    room: int | None = policy.values["max_bytes"]
    if room is not None and cost_of(item.key, item.value, item.tags) > room:
        raise RefusalError("value_too_large", f"{what}; max_bytes or memory leaves room for entries of {room}")
