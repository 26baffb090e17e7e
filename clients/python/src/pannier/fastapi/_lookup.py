"""Asks the sidecar for an answer, waits for another's, or comes to be the one who runs the handler. It knows no ASGI.

An answer that varies stands under its request's own key, with what it was chosen by; other variants have keys of their
own behind it. So the first one costs one request, and is stored in one step, under the lease that its run was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pannier import _calls as calls
from pannier._errors import PannierError, RefusedError
from pannier._log import Once

from . import _status
from ._freshness import Use, use_of
from ._rule import DEFAULT_NAMESPACE, namespaces
from ._stored import decoded, encoded
from ._target import LONGEST_TAG, variant_key, variant_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pannier._async_cache import AsyncCache
    from pannier._calls import Call, Found

    from ._headers import Headers
    from ._rule import Rule
    from ._stored import Stored

T = TypeVar("T")

# To the caller any value is older than that, in seconds: the least that a time can be.
_LEAST: Final = 0.001
# Of variants of variants: where some answers of a URI vary by more than others do.
_MOST_LEVELS: Final = 3


class Look:
    """What was found: `shown`, an answer and its age, to be sent as it is; else the handler is run. With a `lease` that
    run's answer may be stored under `key`; with both, the run is to renew what is shown. `fallback` may stand in
    for a handler that fails. `why` and the rest: what Cache-Status says.
    """

    __slots__ = ("age", "detail", "fallback", "is_collapsed", "key", "lease", "shown", "ttl", "why")

    def __init__(self, key: str, why: str = "uri-miss") -> None:
        self.key = key
        self.why = why
        self.shown: Stored | None = None
        self.fallback: Stored | None = None
        self.lease: str | None = None
        self.age = 0.0
        self.ttl = 0.0
        self.is_collapsed = False
        self.detail: str | None = None

    @property
    def status(self) -> str:
        """Before anything is run."""
        if self.shown is None:
            return _status.forwarded(self.why, detail=self.detail)
        if self.is_collapsed:
            return _status.forwarded(self.why, collapsed=True, ttl=self.ttl)
        return _status.hit(self.ttl, self.detail)


class Lookup:
    """Of one client. What goes wrong is a miss, and said once where the sidecar refuses."""

    def __init__(self, client: AsyncCache) -> None:
        self._client = client
        self._once = Once()

    async def find(self, rule: Rule, key: str, headers: Headers, max_age: int | None = None) -> Look:
        return await self._variant(rule, key, headers, lambda look: self._at(rule, look, max_age))

    async def peek(self, rule: Rule, key: str, headers: Headers) -> Look:
        """Without a claim to run the handler."""
        return await self._variant(rule, key, headers, lambda look: self._peek(rule, look))

    async def _variant(self, rule: Rule, key: str, headers: Headers, at: Callable[[Look], Awaitable[Look]]) -> Look:
        """`at`: looks under one key."""
        look = await at(Look(key))
        for _ in range(_MOST_LEVELS):
            variant = _other_variant(look, headers)
            if variant is None:
                return look
            # Another variant's lease is for who asks for that.
            await self.give_back(rule, look)
            look = await at(Look(variant_key(key, variant), "vary-miss"))
        if _other_variant(look, headers) is not None:
            # What it is kept by can't tell them apart.
            await self.give_back(rule, look)
            look = Look(look.key, "vary-miss")
            look.detail = "vary"
        return look

    async def store(self, rule: Rule, look: Look, stored: Stored, tags: list[str]) -> bool:
        """Under the look's lease, which ends by it."""
        lease, look.lease = look.lease, None
        if lease is None:
            return False
        stale = max(stored.swr, stored.sie)
        try:
            is_stored = await self._client.ask(
                calls.set_value(
                    rule.cache_name,
                    look.key,
                    encoded(stored),
                    ttl=stored.lifetime,
                    stale=stale or None,
                    tags=list(dict.fromkeys(tags)),
                    lease=lease,
                )
            )
        except PannierError as error:
            self._tell(error)
            look.detail = _word(error)
            # It is told at once, and those who wait with it: they need not wait for the lease's time.
            self._client.link.tell(calls.release(rule.cache_name, look.key, lease, passes=True).line)
            return False
        if not is_stored:
            # A change came between: what the handler saw may be what was there before.
            look.detail = "lease-lost"
        return is_stored

    async def give_back(self, rule: Rule, look: Look, *, failed: bool = False, passes: bool = False) -> None:
        lease, look.lease = look.lease, None
        if lease is not None:
            await self._ask(calls.release(rule.cache_name, look.key, lease, failed=failed, passes=passes))

    def drop(self, rule: Rule, look: Look) -> None:
        """The same for a request that was cancelled: told at once, and not waited for."""
        lease, look.lease = look.lease, None
        if lease is not None:
            self._client.link.tell(calls.release(rule.cache_name, look.key, lease).line)

    async def end(self, tags: list[str]) -> None:
        """Ends what bears any of the tags, also where the cache is switched off."""
        # Nothing bears one of another length, and the sidecar would refuse those beside it, too.
        tags = [tag for tag in tags if 0 < len(tag.encode()) <= LONGEST_TAG]
        # Without a rule of its own the process may still change what others keep.
        for ns in sorted(namespaces or {DEFAULT_NAMESPACE}):
            # A clear takes sixteen.
            for start in range(0, len(tags), 16):
                await self._client.run(calls.clear(ns, tags=tags[start : start + 16]), always=True)

    # MARK: One key

    async def _at(self, rule: Rule, look: Look, max_age: int | None) -> Look:
        key = look.key
        oldest = None if max_age is None else max(float(max_age), _LEAST)
        found = await self._ask(calls.get(rule.cache_name, key, lease=True, meta=True, max_age=oldest), look)
        if found is not None and found.is_busy:
            # Asked again rather than at once with `wait`: so it is known whose run the answer is of.
            look.is_collapsed = True
            found = await self._ask(calls.get(rule.cache_name, key, lease=True, meta=True, wait=rule.wait), look)
        stored = _stored_in(found)
        if found is not None and found.value is not None and stored is None:
            # It is none of ours, or garbled: a miss, and replaced under a lease as any other.
            look.detail = "unreadable"
            if found.lease is None:
                found = await self._ask(calls.get(rule.cache_name, key, lease=True, meta=True, max_age=_LEAST), look)
                stored = _stored_in(found)
        if found is None:
            return look
        return await self._judged(rule, look, found, stored, is_renewal=max_age is not None)

    async def _judged(self, rule: Rule, look: Look, found: Found, stored: Stored | None, *, is_renewal: bool) -> Look:
        look.lease = found.lease
        if stored is None:
            look.is_collapsed = False
            look.detail = look.detail or _pause(found)
            return look
        look.age, look.ttl = _age_and_ttl(found, stored)
        is_stale = found.fields.get("stale") is True
        use = use_of(stored, look.age, is_stale=is_stale)
        if is_renewal and is_stale:
            # It isn't to be shown to this client, but for a handler that fails.
            use = Use.IF_ERROR if use is not Use.NONE and stored.sie else Use.NONE
        if use in (Use.FRESH, Use.WHILE_REVALIDATING):
            look.shown = stored
            return look
        look.why = "request" if is_renewal else "stale"
        look.fallback = stored if use is Use.IF_ERROR else None
        if look.lease is None and not is_renewal:
            await self._join(rule, look)
        return look

    async def _join(self, rule: Rule, look: Look) -> None:
        """Waits for another's run, where what is stale won't do meanwhile: a get without lease is shown none."""
        found = await self._ask(calls.get(rule.cache_name, look.key, meta=True, wait=rule.wait), look)
        if found is None:
            return
        stored = _stored_in(found)
        if stored is not None:
            look.shown, look.fallback, look.is_collapsed = stored, None, True
            look.age, look.ttl = _age_and_ttl(found, stored)
            return
        look.detail = _pause(found)
        if look.detail == "failed" and look.fallback is not None:
            # The handler has just failed, and isn't asked again yet.
            look.shown, look.fallback, look.detail = look.fallback, None, "stale-if-error"

    async def _peek(self, rule: Rule, look: Look) -> Look:
        found = await self._ask(calls.get(rule.cache_name, look.key, meta=True), look)
        look.shown = _stored_in(found)
        if found is not None and look.shown is not None:
            look.age, look.ttl = _age_and_ttl(found, look.shown)
        return look

    async def _ask(self, call: Call[T], look: Look | None = None) -> T | None:
        try:
            return await self._client.ask(call)
        except PannierError as error:
            self._tell(error)
            if look is not None:
                look.detail = _word(error)
            return None

    def _tell(self, error: PannierError) -> None:
        """An outage the breaker tells."""
        if isinstance(error, RefusedError):
            self._once.warn(f"an answer can't be kept: the sidecar refuses as {error.code}", error.message)


def _other_variant(look: Look, headers: Headers) -> str | None:
    """What the request says in the headers that the answer found varies by, where that isn't what it was kept for."""
    found = look.shown or look.fallback
    if found is None or not found.vary:
        return None
    variant = variant_of(found.vary, headers)
    return None if variant == found.variant else variant


def _stored_in(found: Found | None) -> Stored | None:
    return None if found is None or found.value is None else decoded(found.value)


def _age_and_ttl(found: Found, stored: Stored) -> tuple[float, float]:
    """`ttl` below nought: for so long it has been stale."""
    age = float(found.fields.get("age", 0.0))
    left = stored.lifetime - age
    if found.fields.get("stale") is True:
        # By an invalidation, or by a ttl that was cut short, it may be before its lifetime is over.
        return age, min(left, 0.0)
    ttl = found.fields.get("ttl")
    return age, left if ttl is None else float(ttl)


def _pause(found: Found) -> str | None:
    """Why nobody is let run the handler for the others."""
    for name in ("failed", "pass", "busy"):
        if name in found.fields:
            return name
    return None


def _word(error: PannierError) -> str:
    return error.code.replace("_", "-") if isinstance(error, RefusedError) else "unavailable"
