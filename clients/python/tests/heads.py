"""The configuration at a transcript's head as a mapping of texts: as much of YAML as heads have."""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^{}\[\],:"\s][^{}\[\],:]*)')


def configuration(head: str) -> dict[str, Any]:
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in head.splitlines() if line.strip()]
    found = _block(lines)
    assert isinstance(found, dict), head
    return found


def _block(lines: list[tuple[int, str]]) -> dict[str, Any] | list[Any]:
    """Lines of one mapping or list, all others of which stand deeper than the first."""
    indent = lines[0][0]
    starts = [index for index, line in enumerate(lines) if line[0] == indent]
    parts = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    if lines[0][1].startswith("- "):
        return [_flow(part[0][1][2:]) for part in parts]
    mapping: dict[str, Any] = {}
    for part in parts:
        name, _, rest = part[0][1].partition(":")
        mapping[name] = _flow(rest) if rest.strip() else _block(part[1:])
    return mapping


def _flow(text: str) -> Any:
    tokens = [token.strip() for token in _TOKEN.findall(text)]
    value = _take(tokens)
    assert not tokens, text
    return value


def _take(tokens: list[str]) -> Any:
    token = tokens.pop(0)
    if token == "{":
        mapping: dict[str, Any] = {}
        while tokens[0] != "}":
            name = tokens.pop(0)
            assert tokens.pop(0) == ":", name
            mapping[name] = _take(tokens)
            tokens[:1] = [] if tokens[0] == "," else tokens[:1]
        tokens.pop(0)
        return mapping
    if token == "[":
        listed: list[Any] = []
        while tokens[0] != "]":
            listed.append(_take(tokens))
            tokens[:1] = [] if tokens[0] == "," else tokens[:1]
        tokens.pop(0)
        return listed
    return token[1:-1] if token.startswith('"') else token
