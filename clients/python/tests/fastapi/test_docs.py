"""The examples of docs/fastapi.md do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pannier.fastapi import http_cache
from web import Site, is_hit, status_of

if TYPE_CHECKING:
    from pannier import Cache

PAGE = (Path(__file__).parents[2] / "docs" / "fastapi.md").read_text(encoding="utf-8")
QUIZ = "/quizzes/00000000-0000-0000-0000-000000000001"


def test_the_examples(store: Cache) -> None:
    scope: dict[str, Any] = {"__name__": "docs"}
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 6
    for example in examples:
        exec(example, scope)

    with Site(None, scope["app"]) as site:
        # As the page shows them.
        assert [status_of(site.get(QUIZ)), status_of(site.get(QUIZ))] == [
            re.findall(r"cache-status: pannier; (.*)", PAGE)[0],
            "hit; ttl=300",
        ]
        for token, user in (("a", "ann"), ("b", "bob"), ("a", "ann")):
            assert site.get("/me/results", authorization=f"Bearer {token}").json() == {"of": user}
        assert site.get("/me/results").status_code == 401
        assert site.ask("POST", f"/courses/7{QUIZ}").status_code == 200
        assert not is_hit(site.get(QUIZ))
        site.wait_for(scope["rename"](scope["UUID"](int=1), "Geometry"))
        assert not is_hit(site.get(QUIZ))
        assert site.get("/admin/cache/stats").status_code == 403
        assert "http" in site.get("/admin/cache/stats", authorization="Bearer admin").json()["namespaces"]
        assert site.get("/health").json() == {"cache": True}

    with Site(None, scope["site"]) as site:
        for path in ("/api/me", "/api/x", "/help"):

            @site.app.get(path)
            async def route() -> int:
                return 1

        told = [status_of(site.get(path)) for path in ("/api/me", "/api/x", "/help")]
        assert told == ["fwd=bypass; detail=no-rule", "fwd=uri-miss; ttl=60; stored", "fwd=uri-miss; ttl=3600; stored"]


def test_each_option_and_each_word_is_told() -> None:
    import inspect

    from pannier.fastapi import _exchange, _request, _storing

    options = list(inspect.signature(http_cache).parameters)
    words = re.findall(r'return "([a-z-]+)"', inspect.getsource(_storing) + inspect.getsource(_request))
    words += re.findall(r'detail="([a-z-]+)"', inspect.getsource(_exchange))
    assert len(words) > 10
    assert [name for name in [*options, *words] if f"`{name}`" not in PAGE and f"detail={name}`" not in PAGE] == []
