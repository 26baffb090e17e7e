"""One GET or HEAD on its way through the cache: a kept answer is shown in place of the handler's, or the handler's is
collected, kept and then sent. What HTTP says of it is decided elsewhere; the sidecar is told what came of each run.

Nothing is sent before an answer is known to be whole and short enough to be kept; what isn't to be collected, such as
a stream, goes through as it comes.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from pannier._settings import is_enabled

from . import _status
from ._collected import Collected, State
from ._freshness import age_of
from ._headers import length_of, without
from ._lookup import Look
from ._request import CREDENTIALS, Wish, refusal, unconditional
from ._stored import Stored, stored_of
from ._storing import TROUBLES, Keeping, judged, kept_headers, with_cache_control, with_vary
from ._target import Target, variant_of
from ._validation import is_unchanged, unchanged_headers, with_etag

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ._cache import HTTPCache
    from ._headers import Headers
    from ._rule import Rule

# Under which the scope has it, for a route's decorator.
EXCHANGE: Final = "pannier.exchange"
# With these the handler's own answer goes through as it is, without an ETag of ours.
_UNTOUCHED: Final = ("range", "condition", "body", "disabled")


class Exchange:
    def __init__(self, cache: HTTPCache, scope: Scope, send: Send) -> None:
        self.cache = cache
        # As it came, for another run: routers write into the other.
        self.scope: Scope = dict(scope)
        self.headers: Headers = list(scope["headers"])
        self.is_head: bool = scope["method"] == "HEAD"
        self.tags: list[str] = []
        # Why the route itself wants nothing kept.
        self.refused: str | None = None
        self._send = send
        self._rule: Rule | None = None
        self._look: Look | None = None
        self._status = _status.forwarded("bypass", detail="no-rule")
        self._collects = False
        self._keeping: Keeping | None = None
        self._collected: Collected | None = None
        # Until the handler's answer begins; then it is collected, passes, or is over.
        self._step: Send = self._begin

    # MARK: Asking the cache

    async def engage(self, rule: Rule, request: Request) -> bool:
        """Whether there is an answer, which `answer` sends, or a route returns as its `stand_in`; else the handler is
        to be run.
        """
        if self._look is not None:
            # The path's rule has it already, or it is a run in the background.
            return False
        wish = Wish(self.headers, is_trusted=self.cache.trusts(request))
        user, reason = await self._claimant(rule, request)
        self._rule = rule
        # Of what a route answers to HEAD there is no body, and so no ETag.
        self._collects = reason not in _UNTOUCHED and request.method == "GET"
        if reason is not None:
            self._status = _status.forwarded("bypass", detail=reason)
        elif not wish.is_stored:
            self._status = _status.forwarded("request", detail="no-store")
        else:
            await self._find(rule, user, wish, is_claimed=request.method == "GET" and not wish.only_if_cached)
        if wish.only_if_cached and self._shown is None:
            # RFC 9111, 5.2.1.7.
            self._look = Look("")
            self._look.shown = Stored(504, [(b"cache-control", b"no-store")], b"")
            self._status = _status.unanswered("only-if-cached")
        return self._shown is not None

    async def _claimant(self, rule: Rule, request: Request) -> tuple[object, str | None]:
        """Whose answer it is to be, and why the cache has no part in it."""
        if not is_enabled():
            return None, "disabled"
        reason = refusal(self.headers, rule)
        if reason in CREDENTIALS:
            self.cache.tell_bypass(rule, reason)
        if reason is not None or rule.user_key is None:
            return None, reason
        user = await _called(rule.user_key, request)
        return user, "no-user" if user is None else None

    async def _find(self, rule: Rule, user: object, wish: Wish, *, is_claimed: bool) -> None:
        target = Target(self.scope)
        self.tags.extend(target.tags)
        key = target.key(user=user, version=self.cache.version, by_host=self.cache.by_host)
        lookup = self.cache.lookup
        if is_claimed:
            look = await lookup.find(rule, key, self.headers, wish.max_age)
        else:
            # A HEAD that the route itself answers brings no body to keep.
            look = await lookup.peek(rule, key, self.headers)
        self._look = look
        self._status = look.status
        if look.shown is not None and look.lease is not None:
            self._renew(rule, look)

    @property
    def is_claimed(self) -> bool:
        """Whether what the handler answers is to be kept: it should answer with the whole, then."""
        return self._look is not None and self._look.lease is not None

    @property
    def _shown(self) -> Stored | None:
        return None if self._look is None else self._look.shown

    def stand_in(self) -> Response | None:
        """For what lies between the handler and the cache, which then sends its own in its place."""
        shown = self._shown
        if shown is None:
            return None
        response = Response(shown.body, shown.status)
        response.raw_headers = [*shown.headers, (b"content-length", b"%d" % len(shown.body))]
        return response

    # MARK: Running the handler

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        try:
            await app(scope, receive, self.send)
        except Exception as error:
            if not await self._failed(error):
                raise
        except BaseException:
            # Cancelled. Nothing is known against the handler: the next who waits is let run it.
            if self._rule is not None and self._look is not None:
                self.cache.lookup.drop(self._rule, self._look)
            raise
        await self._release()

    async def _failed(self, error: Exception) -> bool:
        """Whether a stale answer was sent in its place."""
        await self._release(failed=True)
        fallback = None if self._look is None else self._look.fallback
        if fallback is None or self._rule is None or self._step not in (self._begin, self._collect):
            return False
        self.cache.tell_failure(self._rule, error)
        await self._fall_back(fallback, None)
        return True

    def _renew(self, rule: Rule, look: Look) -> None:
        """The app is run once more beside this request, whose client has its answer already."""
        renewal = Exchange(self.cache, self.scope, _discard)
        renewal._look = renewed = Look(look.key, look.why)
        renewed.lease, look.lease = look.lease, None
        renewal._rule, renewal._collects = rule, True
        renewal.tags = list(self.tags)
        scope: Scope = {**self.scope, "method": "GET", "headers": unconditional(self.headers), EXCHANGE: renewal}
        if "state" in scope:
            scope["state"] = dict(scope["state"])
        self.cache.in_background(renewal.run(self.cache.app, scope, _Nothing()), rule)

    # MARK: The handler's answer

    async def send(self, message: Message) -> None:
        await self._step(message)

    async def answer(self) -> None:
        """Sends what is kept."""
        await self._begin({"type": "http.response.start"})

    async def _begin(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            await self._send(message)
            return
        # Anything that can be run through once will do for ASGI.
        message = {**message, "headers": list(message.get("headers", []))}
        look = self._look
        if look is not None and look.shown is not None:
            self._step = _discard
            await self._show(look.shown, look)
        elif look is not None and look.fallback is not None and message["status"] in TROUBLES:
            await self._release(failed=True)
            await self._fall_back(look.fallback, message["status"])
        elif self._rule is not None and self._collects and await self._is_collected(self._rule, message):
            self._collected = Collected(message, self.cache.max_body)
            self._step = self._collect
        else:
            await self._pass(message)

    async def _is_collected(self, rule: Rule, start: Message) -> bool:
        status: int = start["status"]
        headers: Headers = start["headers"]
        length = 0 if status == 204 else length_of(headers)
        # What says no length is a stream: who sends it may wait long for its next part.
        is_stream = length is None or bool(start.get("trailers"))
        is_short = length is not None and length <= self.cache.max_body
        verdict = self.refused or judged(rule, status, headers, time.time())
        if isinstance(verdict, Keeping):
            if is_short and not is_stream:
                self._keeping = verdict
                return True
            verdict = "stream" if is_stream else "size"
        self._explain(verdict)
        await self._release(failed=status in TROUBLES, passes=status not in TROUBLES)
        # An ETag of what isn't kept still saves its transfer, where the client may keep it.
        return status == 200 and is_short and not is_stream and verdict not in ("no-store", "range")

    async def _collect(self, message: Message) -> None:
        collected = self._collected
        state = State.STREAM if collected is None else collected.add(message)
        if state is State.WHOLE and collected is not None and self._rule is not None:
            self._step = _discard
            await self._complete(self._rule, collected)
        elif state is not State.MORE and collected is not None:
            self._explain(state.value)
            await self._release(passes=True)
            await self._let_through(collected, message)

    async def _complete(self, rule: Rule, collected: Collected) -> None:
        body, keeping, look = collected.body, self._keeping, self._look
        headers = with_etag(collected.status, without(collected.headers, {"content-length"}), body)
        if keeping is not None and look is not None:
            headers = with_vary(rule, with_cache_control(rule, headers))
            if look.lease is not None:
                variant = variant_of(keeping.vary, self.headers) if keeping.vary else ""
                kept = stored_of(keeping, collected.status, kept_headers(headers), body, variant)
                is_stored = await self.cache.lookup.store(rule, look, kept, self.tags)
                ttl = keeping.lifetime if is_stored else None
                self._status = _status.forwarded(look.why, ttl=ttl, stored=is_stored, detail=look.detail)
        await self._answer(collected.status, headers, body)

    # MARK: Sending

    async def _show(self, stored: Stored, look: Look) -> None:
        headers = stored.headers
        if stored.status != 504:
            # That is never kept, but this cache's own.
            headers = [*headers, (b"age", b"%d" % age_of(stored, look.age))]
        await self._answer(stored.status, headers, stored.body)

    async def _fall_back(self, stored: Stored, status: int | None) -> None:
        self._step = _discard
        look = self._look
        if look is not None:
            self._status = _status.forwarded("stale", status=status, ttl=look.ttl, detail="stale-if-error")
            await self._show(stored, look)

    async def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole one, whose headers don't say its length yet, or that the client has it."""
        if 200 <= status < 300 and is_unchanged(self.headers, headers):
            status, headers, body = 304, unchanged_headers(headers), b""
        elif status != 204:
            headers = [*headers, (b"content-length", b"%d" % len(body))]
        await self._send({"type": "http.response.start", "status": status, "headers": self._labelled(headers)})
        await self._send({"type": "http.response.body", "body": b"" if self.is_head else body})

    async def _pass(self, start: Message) -> None:
        self._step = self._send
        await self._send({**start, "headers": self._labelled(start["headers"])})
        if self.is_head:
            # It may have been run as a GET, and of a stream there may be no end.
            self._step = _discard
            await self._send({"type": "http.response.body", "body": b""})

    async def _let_through(self, collected: Collected, message: Message) -> None:
        """What was held back, and what follows it as it comes."""
        await self._pass(collected.start)
        if message["type"] == "http.response.body" or collected.body:
            await self._step({"type": "http.response.body", "body": collected.body, "more_body": collected.has_more})
        if message["type"] != "http.response.body":
            await self._step(message)

    def _labelled(self, headers: Headers) -> Headers:
        # Behind those of caches nearer to the origin (RFC 9211, 2).
        return [*headers, (_status.NAME, self._status.encode())]

    def _explain(self, reason: str) -> None:
        """Why the handler's answer isn't kept, unless the cache had no part in the request."""
        if self._look is not None:
            self._status = _status.forwarded(self._look.why, detail=reason)

    async def _release(self, *, failed: bool = False, passes: bool = False) -> None:
        if self._rule is not None and self._look is not None:
            await self.cache.lookup.give_back(self._rule, self._look, failed=failed, passes=passes)


class _Nothing:
    """What the client of a run in the background says: nothing more, and it doesn't leave."""

    def __init__(self) -> None:
        self._is_asked = False

    async def __call__(self) -> Message:
        if self._is_asked:
            await asyncio.Event().wait()
        self._is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}


async def _discard(message: Message) -> None:
    """Nobody waits for it any more."""


async def _called(user_key: Any, request: Request) -> object:
    user = user_key(request)
    return await user if hasattr(user, "__await__") else user
