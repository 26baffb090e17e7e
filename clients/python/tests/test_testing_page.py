"""The examples of docs/testing.md are tests, and pass."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[1] / "docs" / "testing.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text[text.index("def test_") + 4 :].partition("(")[0])
def test_example(example: str, request: pytest.FixtureRequest) -> None:
    scope: dict[str, Any] = {"__name__": "example"}
    exec(example, scope)
    tests: list[Callable[..., None]] = [value for name, value in scope.items() if name.startswith("test_")]
    assert len(tests) == 1
    wanted = inspect.signature(tests[0]).parameters
    tests[0](**{name: request.getfixturevalue(name) for name in wanted})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5
