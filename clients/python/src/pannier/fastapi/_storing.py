"""May an answer be kept, and for how long: RFC 9111, 3 and 4.2, and RFC 5861. It knows no requests but for whose they
are, and takes the time as it is given.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from ._cache_control import LONGEST_SECONDS, CacheControl
from ._headers import all_of, names_in, value_of, without

if TYPE_CHECKING:
    from ._headers import Headers
    from ._rule import Rule

# What is of one connection or of one passage through a cache, and not of the answer (RFC 9111, 3.1).
_OF_THE_PASSAGE: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "age",
        "cache-status",
        "content-length",
    }
)
# By these a handler says that it is in trouble (RFC 5861, 4).
TROUBLES: Final = frozenset({500, 502, 503, 504})


class Keeping:
    """How an answer is kept. Seconds: `lifetime`, `swr` and `sie` after it, `age` that it had when it came."""

    __slots__ = ("age", "lifetime", "sie", "swr", "vary")

    def __init__(self, lifetime: float, swr: float, sie: float, age: int, vary: list[str]) -> None:
        self.lifetime = lifetime
        self.swr = swr
        self.sie = sie
        self.age = age
        self.vary = vary


def judged(rule: Rule, status: int, headers: Headers, now: float) -> Keeping | str:
    """How it is to be kept, or why not: a word for Cache-Status. `now`: seconds since 1970, for Expires alone."""
    said = CacheControl(value_of(headers, "cache-control"))
    reason = _refusal(rule, status, headers, said)
    if reason is not None:
        return reason
    age = _age(headers)
    lifetime = _lifetime(rule, headers, said, now)
    if lifetime is None or lifetime <= age:
        return "no-lifetime"
    # Each of these forbids what isn't fresh (RFC 9111, 4.2.4 and 5.2.2.10).
    forbids_stale = any(name in said for name in ("must-revalidate", "proxy-revalidate", "s-maxage"))
    swr = _first(said.seconds("stale-while-revalidate"), rule.swr)
    sie = _first(said.seconds("stale-if-error"), rule.sie)
    vary = sorted({*names_in(headers, "vary"), *rule.vary})
    if forbids_stale:
        swr = sie = 0.0
    return Keeping(min(lifetime - age, LONGEST_SECONDS), swr, sie, age, vary)


def kept_headers(headers: Headers) -> Headers:
    return without(headers, _OF_THE_PASSAGE | set(names_in(headers, "connection")))


def with_cache_control(rule: Rule, headers: Headers) -> Headers:
    """Where the handler says nothing, clients are told to ask each time: so an invalidation reaches them, too, and
    what is unchanged costs them no body. What is a user's is private.
    """
    if value_of(headers, "cache-control") is not None or value_of(headers, "expires") is not None:
        return headers
    freshness = "no-cache" if rule.max_age is None else f"max-age={int(rule.max_age)}"
    text = freshness if rule.user_key is None else f"private, {freshness}"
    return [*headers, (b"cache-control", text.encode())]


def with_vary(rule: Rule, headers: Headers) -> Headers:
    missing = [name for name in rule.vary if name not in names_in(headers, "vary")]
    return [*headers, (b"vary", ", ".join(missing).encode())] if missing else headers


def _refusal(rule: Rule, status: int, headers: Headers, said: CacheControl) -> str | None:
    if status not in rule.statuses:
        return "status"
    if "no-store" in said:
        return "no-store"
    # What is a user's own is kept for that user alone, and may be said to be.
    if "private" in said and rule.user_key is None:
        return "private"
    # Each use would want the handler's word, which costs what the answer costs.
    if "no-cache" in said:
        return "no-cache"
    names = {name.lower() for name, _ in headers}
    if b"set-cookie" in names:
        return "set-cookie"
    if b"content-range" in names:
        return "range"
    return "vary" if "*" in names_in(headers, "vary") else None


def _lifetime(rule: Rule, headers: Headers, said: CacheControl, now: float) -> float | None:
    for name in ("s-maxage", "max-age"):
        # Theirs is a private cache's, where the answer is a user's.
        told = None if name == "s-maxage" and rule.user_key is not None else said.seconds(name)
        if told is not None:
            return float(told)
    expires = all_of(headers, "expires")
    if not expires:
        return rule.ttl
    until = _moment(expires[0])
    since = _moment(value_of(headers, "date") or "")
    if until is None or len(expires) > 1:
        return 0.0
    return until - (now if since is None else since)


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _age(headers: Headers) -> int:
    text = value_of(headers, "age") or "0"
    # What isn't a number may be anything (RFC 9111, 5.1: it is ignored).
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0


def _first(told: int | None, otherwise: float) -> float:
    return otherwise if told is None else float(told)
