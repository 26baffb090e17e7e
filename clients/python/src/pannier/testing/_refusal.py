"""Why a request is not carried out: a code of PROTOCOL.md's table, and words for whoever wrote the request."""

from __future__ import annotations

from typing import Final

# After these, where a line ends can't be known: the connection closes.
CLOSING: Final = ("line_too_long", "bad_utf8")
# In the order of the protocol's table.
CODES: Final[tuple[str, ...]] = (
    "bad_json",
    "bad_request",
    "unknown_op",
    "unknown_namespace",
    "key_too_long",
    "value_too_large",
    "forbidden",
    "line_too_long",
    "bad_utf8",
    "too_many_connections",
    "overloaded",
    "tier_unavailable",
    "shutting_down",
    "internal",
)


class RefusalError(Exception):
    """`id`: the request's as written, as far as it could be read."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.id: str | None = None


def unknown_name(what: str, name: str, known: list[str], preface: str) -> str:
    """`unknown field "tll", did you mean "ttl"?`, or where nothing is near, the names there are."""
    shown = name.encode()[:64].decode(errors="replace")
    near = nearest(shown, known)
    if near is not None:
        return f'unknown {what} "{shown}", did you mean "{near}"?'
    return f'unknown {what} "{shown}"; {preface}: {", ".join(known)}'


def nearest(name: str, known: list[str]) -> str | None:
    """The first of `known` that is at most two edits away, and shares something with it."""
    best: tuple[int, str] | None = None
    for candidate in known:
        if abs(len(name) - len(candidate)) > 2:
            continue
        distance = _edits(name, candidate)
        if distance <= 2 and distance < max(len(name), len(candidate)) and (best is None or distance < best[0]):
            best = (distance, candidate)
    return best[1] if best else None


def _edits(left: str, right: str) -> int:
    """Levenshtein's distance, row by row."""
    row = list(range(len(right) + 1))
    for index, one in enumerate(left, 1):
        diagonal, row[0] = row[0], index
        for place, other in enumerate(right, 1):
            diagonal, row[place] = row[place], min(diagonal + (one != other), row[place] + 1, row[place - 1] + 1)
    return row[-1]
