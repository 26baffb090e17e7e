"""Cache-Status: how an answer came about (RFC 9211), in words. It decides nothing."""

from __future__ import annotations

from typing import Final

NAME: Final = b"cache-status"
_CACHE: Final = "pannier"


def hit(ttl: float | None, detail: str | None = None) -> str:
    """`ttl`: what is left of it, below nought where it is stale."""
    return _text("hit", ttl=ttl, detail=detail)


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
    return _text(f"fwd={why}", status=status, ttl=ttl, stored=stored, collapsed=collapsed, detail=detail)


def unanswered(detail: str) -> str:
    return _text(detail=detail)


def _text(
    *words: str,
    status: int | None = None,
    ttl: float | None = None,
    stored: bool = False,
    collapsed: bool = False,
    detail: str | None = None,
) -> str:
    parts = [_CACHE, *words]
    if status is not None:
        parts.append(f"fwd-status={status}")
    if ttl is not None:
        parts.append(f"ttl={int(ttl)}")
    if stored:
        parts.append("stored")
    if collapsed:
        parts.append("collapsed")
    if detail is not None:
        parts.append(f"detail={detail}")
    return "; ".join(parts)
