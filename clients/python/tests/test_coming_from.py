"""What the page says of other caches' words works as it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callers import closing

import pannier

if TYPE_CHECKING:
    import pytest

    from daemon import Daemon

PAGE = Path(__file__).parents[1] / "docs" / "coming-from.md"


def test_the_examples(sidecar: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        scope: dict[str, Any] = {"__name__": "coming_from"}
        exec(example, scope)
        if "change" in scope:
            asyncio.run(closing(scope["change"]()))
    assert capsys.readouterr().out.splitlines() == [
        "1",
        "MISS",
        "loading [1, 2]",
        "loading [3]",
        "{2: 'user 2', 3: 'user 3'}",
        "Ada True",
        "42",
    ]


def test_each_name_of_ours_is_there() -> None:
    """In the tables' right columns: what is called is a name of the package, or of a cache."""
    ours = [line.split("|")[2] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    called = set(re.findall(r"\b([A-Za-z_]+)\(", " ".join(ours)))
    known = {*pannier.__all__, *dir(pannier.AsyncCache), *dir(pannier.Cache), "http_cache"}
    assert called
    assert called <= known, called - known
