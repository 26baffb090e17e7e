"""What a request allows a cache to do: whether it may use one at all, and what it says of age (RFC 9111, 5.2.1). It
knows no answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._cache_control import CacheControl
from ._headers import length_of, value_of, without

if TYPE_CHECKING:
    from ._headers import Headers
    from ._rule import Rule

# What the handler would answer with less than the whole, which alone is worth keeping.
CONDITIONS: Final = ("if-none-match", "if-modified-since")
# By these a client, or a proxy in its name, says who it is. Others that an app goes by are for `vary` to name.
CREDENTIALS: Final = (
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-remote-user",
    "remote-user",
)


def refusal(headers: Headers, rule: Rule) -> str | None:
    """Why the cache has no part in it; None: it may have. It is what Cache-Status says."""
    present = {name.decode("latin-1").lower() for name, _ in headers}
    if "range" in present:
        return "range"
    if "if-match" in present or "if-unmodified-since" in present:
        return "condition"
    if "transfer-encoding" in present or length_of(headers) not in (None, 0):
        return "body"
    if not rule.public and rule.user_key is None:
        # Whoever sends one may be shown something of their own. What the answer varies by has its own key.
        for name in CREDENTIALS:
            if name in present and name not in rule.vary:
                return name
    return None


class Wish:
    """`max_age`: no older one will do, in seconds; None: any fresh one does. `is_stored`: the answer may be kept.
    `only_if_cached`: the handler isn't to be run for it.
    """

    __slots__ = ("is_stored", "max_age", "only_if_cached")

    def __init__(self, headers: Headers, *, is_trusted: bool) -> None:
        said = CacheControl(value_of(headers, "cache-control"))
        # It spares the handler, so that anybody may ask for it.
        self.only_if_cached = "only-if-cached" in said
        self.is_stored = True
        self.max_age: int | None = None
        if not is_trusted:
            # Anybody could switch the cache off by the others.
            return
        self.is_stored = "no-store" not in said
        self.max_age = 0 if "no-cache" in said else said.seconds("max-age")
        pragma = value_of(headers, "pragma") or ""
        if value_of(headers, "cache-control") is None and "no-cache" in pragma.lower():
            self.max_age = 0


def unconditional(headers: Headers) -> Headers:
    return without(headers, CONDITIONS)
