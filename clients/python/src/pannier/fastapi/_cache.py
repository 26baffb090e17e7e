"""`HTTPCache`: the middleware, in plain ASGI. It finds the rule of a path, gives each read its exchange, and ends what
a change has made old. What is kept it doesn't know.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request

from pannier._async_cache import cache as own_cache
from pannier._log import Once

from . import _status
from ._exchange import EXCHANGE, Exchange
from ._headers import all_of
from ._lookup import Lookup
from ._request import unconditional
from ._rule import PathRules
from ._target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pannier import AsyncCache
    from pannier._durations import Duration

    from ._rule import Rule

_MAX_BODY: Final = 1 << 20
# An endpoint that `http_cache` decorates has it.
MARK: Final = "__pannier_http_cache__"


class HTTPCache:
    """`rules`: by path, `{"/api/quizzes*": "60s"}`, a ttl or a Rule, None: never kept; the first that fits holds.
    `default`: of all other paths; None: only what their routes say. Added first it lies innermost, and so keeps
    nothing of what other middlewares add to each answer.

    `max_body`: longer ones aren't kept, in bytes. `by_host`: whether each host, and scheme, has its own. `version`:
    of the app: another one shows nothing that this one has kept. `trust_client`: whether a client may ask for what
    is newer, or a function of the request that says so; None: if the app is in debug mode.
    """

    def __init__(
        self,
        app: ASGIApp,
        default: Rule | Duration | None = None,
        rules: Mapping[str, Rule | Duration | None] | None = None,
        *,
        max_body: int = _MAX_BODY,
        by_host: bool = True,
        version: str | None = None,
        trust_client: bool | Callable[[Request], bool] | None = None,
        client: AsyncCache | None = None,
    ) -> None:
        self.app = app
        self.max_body = max_body
        self.by_host = by_host
        self.version = version
        self.lookup = Lookup(client or own_cache)
        self._rules = PathRules(default, rules or {})
        self._trust = trust_client
        self._once = Once()
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await self._read(scope, receive, send)
        else:
            await self._change(scope, receive, send)

    # MARK: Reads

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(self, scope, send)
        scope[EXCHANGE] = exchange
        rule = self._rules.of(scope["path"])
        if rule is None:
            await self._run_by_route(exchange, scope, receive)
            return
        came = scope["method"], scope["headers"]
        try:
            # A HEAD is answered by what a GET brings, which alone can be kept.
            scope["method"] = "GET"
            if await exchange.engage(rule, Request(scope)):
                await exchange.answer()
                return
            if exchange.is_claimed:
                scope["headers"] = unconditional(scope["headers"])
            await exchange.run(self.app, scope, receive)
        finally:
            # Whoever lies outside, a log for instance, sees what came.
            scope["method"], scope["headers"] = came

    async def _run_by_route(self, exchange: Exchange, scope: Scope, receive: Receive) -> None:
        """FastAPI's routes know no HEAD. Where one that is decorated refuses it, it is run as a GET."""
        if not exchange.is_head:
            await exchange.run(self.app, scope, receive)
            return
        is_refused = False

        async def send(message: Message) -> None:
            nonlocal is_refused
            is_refused = is_refused or (message.get("status") == 405 and hasattr(scope.get("endpoint"), MARK))
            if not is_refused:
                await exchange.send(message)

        await exchange.run(_with_send(self.app, send), scope, receive)
        if is_refused:
            await exchange.run(self.app, {**exchange.scope, "method": "GET", EXCHANGE: exchange}, receive)

    # MARK: Changes

    async def _change(self, scope: Scope, receive: Receive, send: Send) -> None:
        """RFC 9111, 4.4. Twice: before the answer, so that who has it sees nothing older; and when the app is done,
        since FastAPI ends dependencies with `yield` after the answer, and a transaction with them.
        """
        change = Change()
        scope[EXCHANGE] = change
        is_safe = scope["method"] in ("OPTIONS", "TRACE")
        target = Target(scope)
        ended: list[str] = []

        async def send_then(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if not is_safe and 200 <= message["status"] < 400:
                    locations = [*all_of(headers, "location"), *all_of(headers, "content-location")]
                    ended.extend([*target.changed_by(locations), *change.tags])
                    await self.lookup.end(ended)
                label = (_status.NAME, _status.forwarded("method").encode())
                message = {**message, "headers": [*headers, label]}
            await send(message)

        try:
            await self.app(scope, receive, send_then)
        finally:
            if ended:
                await self.lookup.end(ended)

    # MARK: For exchanges

    def trusts(self, request: Request) -> bool:
        if callable(self._trust):
            return self._trust(request)
        if self._trust is None:
            return bool(getattr(request.scope.get("app"), "debug", False))
        return self._trust

    def in_background(self, running: Coroutine[Any, Any, None], rule: Rule) -> None:
        task = asyncio.get_running_loop().create_task(running)
        # The loop alone wouldn't keep it.
        self._running.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                self._once.warn(f"{rule.name}: it could not be renewed", f"{type(error).__name__}: {error}")

        task.add_done_callback(done)

    def tell_bypass(self, rule: Rule, header: str) -> None:
        self._once.warn(f"{rule.name}: requests with {header} aren't cached", "say `public`, or give a `user_key`")

    def tell_failure(self, rule: Rule, error: Exception) -> None:
        self._once.warn(f"{rule.name}: it failed, and a stale answer is shown", f"{type(error).__name__}: {error}")


class Change:
    """What a request that isn't a read has in place of an exchange: the tags that its route ends."""

    def __init__(self) -> None:
        self.tags: list[str] = []


def _with_send(app: ASGIApp, send: Send) -> ASGIApp:
    async def run(scope: Scope, receive: Receive, _: Send) -> None:
        await app(scope, receive, send)

    return run
