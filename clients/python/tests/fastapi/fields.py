"""Header fields as ASGI has them, and moments as HTTP writes them. Not a test itself."""

from __future__ import annotations

# The moment of most tests, and as HTTP writes it.
NOW, NOW_TEXT = 1_795_773_600.0, "Fri, 27 Nov 2026 10:00:00 GMT"
LATER_TEXT = "Fri, 27 Nov 2026 10:01:40 GMT"


def fields(**headers: str) -> list[tuple[bytes, bytes]]:
    """`if_none_match="x"` is the header If-None-Match."""
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
