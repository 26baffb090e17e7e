"""Cache-Status: how an answer came about (RFC 9211), in words. It decides nothing."""

from __future__ import annotations

from math import floor
from typing import Final

NAME: Final = b"cache-status"
_CACHE: Final = "pannier"


def hit(ttl: float, detail: str | None = None) -> str:
    """`ttl`: what is left of it; at nought and below it is stale, or will be within the second."""
    return _text("hit", _ttl(ttl), _detail(detail))


def forwarded(
    why: str,
    *,
    status: int | None = None,
    ttl: float | None = None,
    stored: bool = False,
    collapsed: bool = False,
    detail: str | None = None,
) -> str:
    """To the handler. `collapsed`: to another's run of it."""
    return _text(
        f"fwd={why}",
        None if status is None else f"fwd-status={status}",
        _ttl(ttl),
        "stored" if stored else None,
        "collapsed" if collapsed else None,
        _detail(detail),
    )


def unanswered(detail: str) -> str:
    return _text(_detail(detail))


def _ttl(ttl: float | None) -> str | None:
    return None if ttl is None else f"ttl={floor(ttl)}"


def _detail(detail: str | None) -> str | None:
    return None if detail is None else f"detail={detail}"


def _text(*parts: str | None) -> str:
    return "; ".join([_CACHE, *[part for part in parts if part is not None]])
