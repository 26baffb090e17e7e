"""Reads each field of a request, or of an item, as the type that it must have. It knows no op's other rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ._refusal import RefusalError
from ._spans import scaled, seconds

if TYPE_CHECKING:
    from ._json import Node
    from ._limits import Limits

TAGS: Final = 16
TAG_BYTES: Final = 128
# Versions are below it, so that every JSON reader holds them exactly.
VERSIONS: Final = 1 << 53
# A ttl that a request asks for: none of its own, or none at all.
POLICY: Final = -1
UNLIMITED: Final = math.inf


class Fields:
    """`place` goes before the names in messages: `items[2].`."""

    def __init__(self, owner: str, members: dict[str, Node], limits: Limits, place: str = "") -> None:
        self.owner = owner
        self.members = members
        self.limits = limits
        self.place = place

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def wrong(self, name: str, expected: str) -> RefusalError:
        return RefusalError("bad_request", f'"{self.place}{name}" must be {expected}')

    # MARK: Names and keys

    def namespace(self) -> str:
        if "ns" not in self:
            raise RefusalError("bad_request", f'{self.owner} needs "ns"')
        return self.text("ns")

    def one_key(self) -> str:
        if "key" not in self:
            raise RefusalError("bad_request", f'{self.owner} needs "key"')
        return self.key(self.members["key"], f"{self.place}key")

    def one_or_more_keys(self) -> list[str]:
        if "key" in self and "keys" in self:
            raise RefusalError("bad_request", f'{self.owner} takes "key" or "keys", not both')
        if "key" in self:
            return [self.one_key()]
        if "keys" not in self:
            raise RefusalError("bad_request", f'{self.owner} needs "key" or "keys"')
        return [self.key(node, f"keys[{index}]") for index, node in enumerate(self.elements("keys"))]

    def elements(self, name: str) -> list[Node]:
        node = self.members[name]
        if node.kind != "array":
            raise self.wrong(name, "a list")
        if not node.elements:
            raise RefusalError("bad_request", f'"{name}" is empty; it must name at least one')
        if len(node.elements) > self.limits.items:
            raise RefusalError("bad_request", f'"{name}" has more than {self.limits.items} elements (limits.items)')
        return node.elements

    def key(self, node: Node, place: str) -> str:
        if node.kind != "string":
            raise RefusalError("bad_request", f'"{place}" must be a string')
        key = _text(node, place)
        if not key:
            raise RefusalError("bad_request", f'"{place}" is empty; a key has at least one byte')
        count = len(key.encode())
        if count > self.limits.key_bytes:
            raise RefusalError(
                "key_too_long", f'"{place}" has {count} bytes; limits.key_bytes is {self.limits.key_bytes}'
            )
        return key

    def text(self, name: str) -> str:
        node = self.members[name]
        if node.kind != "string":
            raise self.wrong(name, "a string")
        return _text(node, f"{self.place}{name}")

    # MARK: Flags and numbers

    def flag(self, name: str) -> bool:
        if name not in self:
            return False
        if self.members[name].kind not in ("true", "false"):
            raise self.wrong(name, "true or false")
        return self.members[name].kind == "true"

    def span(self, name: str, most: int = 315_360_000) -> int | None:
        """In milliseconds; None: it isn't said."""
        if name not in self:
            return None
        node = self.members[name]
        found = seconds(node.raw) if node.is_number else None
        if found is None or found > most * 1000:
            raise self.wrong(name, f"a number of seconds from 0 to {most}")
        return found

    def ttl(self) -> float:
        if "ttl" not in self:
            return POLICY
        node = self.members["ttl"]
        if node.kind == "null":
            return UNLIMITED
        found = seconds(node.raw) if node.is_number else None
        if not found:
            raise self.wrong("ttl", "a number of seconds from 0.001 to 315360000, or null")
        return found

    def whole(self, name: str, least: int, most: int, expected: str) -> int | None:
        if name not in self:
            return None
        node = self.members[name]
        number = scaled(node.raw, 1) if node.kind == "integer" and not node.raw.startswith("-") else -1
        if not least <= number <= most:
            raise self.wrong(name, expected)
        return number

    def version(self, name: str) -> int | None:
        return self.whole(name, 0, VERSIONS - 1, "a version, a whole number below 2^53")

    def share(self, name: str) -> float:
        if name not in self:
            return 1
        node = self.members[name]
        found = float(node.raw) if node.is_number else -1
        if not 0 <= found <= 1:
            raise self.wrong(name, "a number from 0 to 1")
        return found

    # MARK: Lists and conditions

    def strings(self, name: str, most: int, expected: str) -> list[str]:
        node = self.members[name]
        if node.kind != "array" or len(node.elements) > most or any(e.kind != "string" for e in node.elements):
            raise self.wrong(name, expected)
        return [_text(element, f"{self.place}{name}") for element in node.elements]

    def tags(self) -> list[str]:
        if "tags" not in self:
            return []
        expected = f"a list of at most {TAGS} strings of 1 to {TAG_BYTES} bytes"
        tags = self.strings("tags", TAGS, expected)
        if not all(1 <= len(tag.encode()) <= TAG_BYTES for tag in tags):
            raise self.wrong("tags", expected)
        return tags

    def lease(self) -> str | None:
        if "lease" not in self:
            return None
        if self.members["lease"].kind != "string":
            raise self.wrong("lease", "a string, the token that get gave")
        if "if" in self:
            place = self.place
            raise RefusalError(
                "bad_request", f'"{place}lease" beside "{place}if": a fill is stored while its lease stands'
            )
        return self.text("lease")

    def condition(self) -> str | int | None:
        """`absent`, `present`, a version, or none."""
        if "if" not in self:
            return None
        node = self.members["if"]
        if node.kind == "string":
            word = self.text("if")
            if word in ("absent", "present"):
                return word
        elif node.kind == "object" and len(node.members) == 1 and node.members[0][0].text() == "version":
            inner = Fields(self.owner, {"version": node.members[0][1]}, self.limits)
            if node.members[0][1].kind == "integer":
                try:
                    return inner.version("version")
                except RefusalError:
                    pass
        raise self.wrong("if", '"absent", "present" or {"version":n} with a whole number below 2^53')


def _text(node: Node, place: str) -> str:
    text = node.text()
    if text is None:
        raise RefusalError("bad_json", f'"{place}" has half of a surrogate pair')
    return text
