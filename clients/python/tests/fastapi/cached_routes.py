"""Routes that are cached by a rule of their path, and again by their decorator: a plugin of the tests that ask for
`routes`. Not a test itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pannier.fastapi import HTTPCache, Rule, http_cache
from web import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon import Daemon


class Routes:
    """Of a site, all of them cached in one way or in the other."""

    def __init__(self, site: Site, kind: str, rules: dict[str, Any]) -> None:
        self.site = site
        self._kind = kind
        self._rules = rules

    def cached(self, path: str, *, ttl: Any = "60s", **options: Any) -> Callable[[Any], Any]:
        def decorate(function: Any) -> Any:
            if self._kind == "path":
                self._rules[path.replace("{n}", "*")] = Rule(ttl, **options)
                return self.site.app.get(path)(function)
            return self.site.app.get(path)(http_cache(ttl, **options)(function))

        return decorate


@pytest.fixture(params=["path", "route"])
def routes(request: pytest.FixtureRequest, sidecar: Daemon) -> Iterator[Routes]:
    rules: dict[str, Any] = {}
    with Site() as site:
        # Starlette makes the middleware when the first request comes.
        site.app.add_middleware(HTTPCache, rules=rules)
        yield Routes(site, request.param, rules)
