"""JSON as strictly as the sidecar reads it, and where each value stands: its text is kept as it was written. It knows
no fields.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK: Final = re.compile(r"[ \t\r]*")
# Runs of plain characters with escapes between them: so each has one way to be read, and a long one takes its length.
_STRING: Final = re.compile(
    r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"',
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: Final = ("true", "false", "null")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JSONError(Exception):
    """What is wrong with a line, and at which byte."""


class Node:
    """A value where it stands. `kind`: `string` `integer` `number` `object` `array` `true` `false` or `null`."""

    __slots__ = ("elements", "kind", "members", "raw")

    def __init__(self, kind: str, raw: str) -> None:
        self.kind = kind
        self.raw = raw
        self.elements: list[Node] = []
        self.members: list[tuple[Node, Node]] = []

    def text(self) -> str | None:
        """Of a string: what it says; None: it has half of a surrogate pair."""
        said: str = json.loads(self.raw)
        return None if _SURROGATE.search(said) else said

    @property
    def is_number(self) -> bool:
        return self.kind in ("integer", "number")

    def has_whole_characters(self) -> bool:
        """Of it and of all that is in it."""
        parts = [*self.elements, *(part for member in self.members for part in member)]
        return (self.kind != "string" or self.text() is not None) and all(p.has_whole_characters() for p in parts)


class Reader:
    """A place in a line. `depth`: how many objects and arrays may be opened inside one another."""

    def __init__(self, line: str, depth: int) -> None:
        self._line = line
        self._depth = depth
        self._at = 0

    def fault(self, problem: str) -> JSONError:
        return JSONError(f"at byte {len(self._line[: self._at].encode())}: {problem}")

    def peek(self) -> str:
        """The next character that is no blank; empty: the line is over."""
        blank = _BLANK.match(self._line, self._at)
        self._at = blank.end() if blank else self._at
        return self._line[self._at : self._at + 1]

    def members(self) -> Iterator[Node]:
        """An object's names, one by one. Behind each its colon and its value are to be taken."""
        for _ in self._each("}", "expected , or } after a member"):
            if self.peek() != '"':
                raise self.fault("expected a member's name")
            yield self._string()

    def colon(self) -> None:
        self._expect(":", "expected : after a member's name")

    def _take(self, character: str) -> bool:
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str, problem: str) -> None:
        if not self._take(character):
            raise self.fault(problem)

    def _each(self, end: str, problem: str) -> Iterator[None]:
        """Before each part of an object or array, which is to be taken then."""
        if self._depth == 0:
            raise self.fault("nested deeper than limits.nesting allows")
        self._depth -= 1
        self._at += 1
        if not self._take(end):
            yield
            while self._take(","):
                yield
            self._expect(end, problem)
        self._depth += 1

    def value(self) -> Node:
        first = self.peek()
        if first == '"':
            return self._string()
        if first == "{":
            return self._object()
        if first == "[":
            return self._array()
        if first and first in "-0123456789":
            return self._number()
        for word in _WORDS:
            if self._line.startswith(word, self._at):
                self._at += len(word)
                return Node(word, word)
        raise self.fault("no JSON value begins here" if first else "the line ends where a value is expected")

    def _string(self) -> Node:
        found = _STRING.match(self._line, self._at)
        if not found:
            raise self.fault("a string with no end, a bare control character or an escape that there isn't")
        self._at = found.end()
        return Node("string", found[0])

    def _number(self) -> Node:
        found = _NUMBER.match(self._line, self._at)
        if not found:
            raise self.fault("expected a digit")
        self._at = found.end()
        after = self._line[self._at : self._at + 1]
        if after and after in "0123456789.eE":
            raise self.fault("a number has no leading zero, and digits on both sides of a point")
        return Node("number" if found[1] or found[2] else "integer", found[0])

    def _object(self) -> Node:
        start = self._at
        node = Node("object", "")
        for name in self.members():
            self.colon()
            node.members.append((name, self.value()))
        node.raw = self._line[start : self._at]
        return node

    def _array(self) -> Node:
        start = self._at
        node = Node("array", "")
        for _ in self._each("]", "expected , or ] after an element"):
            node.elements.append(self.value())
        node.raw = self._line[start : self._at]
        return node
