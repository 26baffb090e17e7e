"""The README's examples do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from daemon import Daemon

README = Path(__file__).parents[1] / "README.md"


def test_the_examples(sidecar: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    decorated, plain, many, warming = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    scope: dict[str, Any] = {"__name__": "readme"}
    exec(decorated, scope)
    quiz_id = scope["UUID"](int=1)
    assert scope["get_quiz"].key(quiz_id, 7) == "00000000-0000-0000-0000-000000000001"
    exec(plain, scope)
    assert capsys.readouterr().out == "Algebra\n"
    with scope["Cache"](raises=True) as store:
        assert store.exists("quizzes", "q:1") is False
    exec(many, scope)
    assert scope["get_users"].__name__ == "get_users"
    exec(warming, scope)
    assert "popular" in scope["warm"].__globals__["_warmers"]
