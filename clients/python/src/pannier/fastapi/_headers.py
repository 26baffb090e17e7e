"""Header fields as ASGI has them, pairs of bytes, and how they are read. It knows what none of them means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    Headers = list[tuple[bytes, bytes]]


def all_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    """The values of each field line of that name, in their order."""
    wanted = name.encode("latin-1")
    return [value.decode("latin-1").strip() for found, value in headers if found.lower() == wanted]


def value_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """Several lines of one field are one list (RFC 9110, 5.3)."""
    found = all_of(headers, name)
    return ", ".join(found) if found else None


def names_in(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    """The members of a list of names, such as those of Vary and of Connection, in lower case."""
    members = ",".join(all_of(headers, name)).split(",")
    return [member.strip().lower() for member in members if member.strip()]


def without(headers: Iterable[tuple[bytes, bytes]], names: Collection[str]) -> Headers:
    return [(name, value) for name, value in headers if name.decode("latin-1").lower() not in names]


def length_of(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """What Content-Length says; None: nothing, or nothing that can be one."""
    text = value_of(headers, "content-length")
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 16 else None
