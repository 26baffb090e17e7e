"""What a kept answer is good for at its age: RFC 9111, 4.2, and RFC 5861. It asks nothing, and takes the age as it is
given.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._stored import Stored


class Use(Enum):
    FRESH = "fresh"
    # It is shown, and renewed meanwhile.
    WHILE_REVALIDATING = "stale-while-revalidate"
    # It is shown where the handler fails.
    IF_ERROR = "stale-if-error"
    NONE = "none"


def use_of(stored: Stored, age: float, *, is_stale: bool) -> Use:
    """`age`: seconds since it was stored. `is_stale`: the sidecar says so; by an invalidation, or a ttl that was cut
    short, it may before its lifetime is over.
    """
    past = age - stored.lifetime
    if not is_stale and past < 0:
        return Use.FRESH
    past = max(past, 0.0)
    if past < stored.swr:
        return Use.WHILE_REVALIDATING
    return Use.IF_ERROR if past < stored.sie else Use.NONE


def age_of(stored: Stored, age: float) -> int:
    """For the header Age: what it had when it came counts, too."""
    return int(age) + stored.age
