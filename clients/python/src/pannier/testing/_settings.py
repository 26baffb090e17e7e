"""What each kind of setting may be: reads what somebody wrote, or says what is wrong with it. It knows no setting.

What was written is a text, a list, a mapping, or None for nothing; a number is the text that it was written as.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from ._globs import LONGEST_BYTES, Glob
from ._refusal import nearest
from ._spans import LONGEST, SpellingError, duration_text, quoted, size, size_text, span, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._json import Node

# What stands for a setting that was read in vain: its faults are named.
FAULTY: Final = object()
# No setting nests as deep.
_DEEPEST: Final = 8


class Kind:
    """`parse` takes a text, and raises SpellingError."""

    def __init__(self, expected: str, parse: Callable[[str], object], none: str | None = None) -> None:
        self.expected = expected
        self._parse = parse
        # The word for none; None: it can't be.
        self._none = none

    def read(self, written: object, path: str, faults: list[str]) -> object:
        if self._none is not None and (written is None or written in (self._none, "none")):
            return None
        if not isinstance(written, str):
            expected = self.expected if self._none is None else f"{self.expected} or {self._none}"
            return fault(faults, path, f"expected {expected}, found {described(written)}")
        try:
            return self._parse(written)
        except SpellingError as bad:
            return fault(faults, path, str(bad))


def duration(least: int, most: int = LONGEST, none: str | None = None) -> Kind:
    """In milliseconds."""

    def parse(text: str) -> int:
        found = span(text)
        if not least <= found <= most:
            raise SpellingError(
                f"{quoted(text)} is out of range; it must be {duration_text(least)} to {duration_text(most)}"
            )
        return found

    return Kind("a duration such as 10m", parse, none)


def number_of_bytes(most: int, none: str | None = None) -> Kind:
    def parse(text: str) -> int:
        found = size(text)
        if not 1 <= found <= most:
            raise SpellingError(f"{quoted(text)} is out of range; it must be 1 to {size_text(most)}")
        return found

    return Kind("a size such as 256MiB", parse, none)


def count(most: int, none: str | None = None) -> Kind:
    def parse(text: str) -> int:
        found = whole(text)
        if found is None:
            raise SpellingError(f"{quoted(text)} is not a whole number")
        if not 1 <= found <= most:
            raise SpellingError(f"{quoted(text)} is out of range; it must be 1 to {most}")
        return found

    return Kind("a number", parse, none)


def share(form: str, *, may_be_none: bool) -> Kind:
    def parse(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = -1
        if not 0 <= found < 1 or (may_be_none and not found):
            raise SpellingError(f"{quoted(text)} is not a share; write {form}")
        return found + 0.0

    return Kind("a share such as 0.1", parse, "off" if may_be_none else None)


def word(*words: str) -> Kind:
    def parse(text: str) -> str:
        if text not in words:
            raise SpellingError(f"{quoted(text)} is not one of {' | '.join(words)}")
        return text

    return Kind(f"one of {' | '.join(words)}", parse)


def glob() -> Kind:
    def parse(text: str) -> Glob:
        length = len(text.encode())
        if length > LONGEST_BYTES:
            raise SpellingError(f"a glob of {length} bytes; it may have {LONGEST_BYTES}")
        try:
            return Glob(text)
        except ValueError:
            raise SpellingError(
                f"{quoted(text)} is not a glob; close each [, and put a character after a \\ and behind a - in [a-z]"
            ) from None

    return Kind('a glob such as "user:*"', parse)


# MARK: What is written


def fault(faults: list[str], path: str, message: str) -> object:
    faults.append(f"{path}: {message}" if path else message)
    return FAULTY


def described(written: object) -> str:
    if written is None:
        return "nothing"
    if isinstance(written, str):
        return quoted(written)
    return "a list" if isinstance(written, list) else "a mapping"


def each_field(
    written: object, known: list[str], path: str, faults: list[str], visit: Callable[[str, object, str], None]
) -> None:
    """Any other name is a fault that names the nearest. Nothing written is no field."""
    if written is None:
        return
    if not isinstance(written, dict):
        fault(faults, path, f"expected the fields {', '.join(known)}, found {described(written)}")
        return
    for name, value in cast("dict[str, object]", written).items():
        if name in known:
            visit(name, value, f"{path}.{name}" if path else name)
            continue
        near = nearest(name, known)
        hint = f', did you mean "{near}"?' if near else f"; known are {', '.join(known)}"
        fault(faults, path, f"unknown field {quoted(name)}{hint}")


def from_json(node: Node, faults: list[str], depth: int = 0) -> object:
    if node.kind == "object":
        found: dict[str, object] = {}
        for name, value in node.members if depth < _DEEPEST else []:
            text = name.text() or ""
            if text in found:
                fault(faults, "", f"{quoted(text)} stands twice in one mapping")
            else:
                found[text] = from_json(value, faults, depth + 1)
        return found
    if node.kind == "array":
        return [from_json(element, faults, depth + 1) for element in node.elements] if depth < _DEEPEST else []
    if node.kind == "null":
        return None
    return node.text() if node.kind == "string" else node.raw


def from_python(value: Any) -> object:
    """What a test writes: numbers are seconds, bytes or shares, a timedelta is one of its seconds."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "off"
    if isinstance(value, dict):
        return {str(name): from_python(part) for name, part in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [from_python(part) for part in cast("list[Any]", value)]
    return str(value.total_seconds()) if hasattr(value, "total_seconds") else str(value)
