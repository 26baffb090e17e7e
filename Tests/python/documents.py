"""Takes documents apart: code blocks, tables, and the comparison of what they show with what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(?P<level>#+) (?P<title>.*)$")
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


def blocks(path: Path, language: str) -> list[list[str]]:
    """The code blocks in that language, as lines."""
    return [
        block["text"].rstrip("\n").split("\n")
        for block in _FENCE.finditer(path.read_text(encoding="utf-8"))
        if block["language"] == language
    ]


def section(path: Path, title: str) -> list[str]:
    """The lines under a heading, down to the next one of its level or above. `#` in code is no heading."""
    found: list[str] = []
    depth = 0
    in_code = False
    for line in path.read_text(encoding="utf-8").split("\n"):
        in_code ^= line.startswith("```")
        heading = None if in_code else _HEADING.match(line)
        if heading and depth and len(heading["level"]) <= depth:
            return found
        if depth:
            found.append(line)
        elif heading and heading["title"] == title:
            depth = len(heading["level"])
    if not depth:
        raise LookupError(f"{path.name} has no section {title!r}")
    return found


def subsections(lines: Sequence[str]) -> list[str]:
    """The titles of the headings among these lines."""
    return [heading["title"] for line in lines if (heading := _HEADING.match(line))]


def tables(lines: Sequence[str]) -> list[list[list[str]]]:
    """The tables among these lines, each as rows of cells without its head."""
    found: list[list[list[str]]] = []
    previous = ""
    for line in lines:
        if line.startswith("| ---"):
            found.append([])
        elif line.startswith("|") and previous.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        previous = line
    return found


def code(text: str) -> list[str]:
    """What stands in backticks, within a line."""
    return _CODE.findall(_FENCE.sub("", text))


def links(path: Path) -> list[str]:
    """Where the document's links lead, those to the web apart."""
    targets = [link["target"] for link in _LINK.finditer(_FENCE.sub("", path.read_text(encoding="utf-8")))]
    return [target for target in targets if not re.match(r"https?:", target)]


def assert_lines_fit(said: Sequence[str], shown: Sequence[str]) -> None:
    """Line by line; `...` in what is shown stands for any characters within its line."""
    for number, (line, template) in enumerate(zip(said, shown, strict=False), start=1):
        assert fits(line, template), f"line {number}\n  shown {template}\n  said  {line}"
    assert len(said) == len(shown), f"{len(said)} lines were said, {len(shown)} are shown: {said[len(shown) :]}"


def fits(line: str, template: str) -> bool:
    return re.fullmatch(".*?".join(re.escape(piece) for piece in template.split("...")), line) is not None
