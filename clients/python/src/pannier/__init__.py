"""A cache that all workers of a host share: a client of the Pannier sidecar. Functions are decorated, and that is all.

from pannier import cached

@cached("quizzes", ttl="10m", key="{quiz_id}")
async def get_quiz(quiz_id: UUID) -> Quiz | None: ...
"""

from ._cache import MISS, AsyncCache, AsyncNamespace, Cache, Entry, Namespace, cache
from ._cached import AsyncCachedFunction, CachedFunction, cached
from ._changes import cache_invalidate, cache_put
from ._errors import PannierError, RefusedError, UnavailableError
from ._keys import KeySpellingError
from ._settings import configure, disabled
from ._templates import NoKey
from ._values import NotCacheableError

__version__ = "0.1.0"
__all__ = [
    "MISS",
    "AsyncCache",
    "AsyncCachedFunction",
    "AsyncNamespace",
    "Cache",
    "CachedFunction",
    "Entry",
    "KeySpellingError",
    "Namespace",
    "NoKey",
    "NotCacheableError",
    "PannierError",
    "RefusedError",
    "UnavailableError",
    "cache",
    "cache_invalidate",
    "cache_put",
    "cached",
    "configure",
    "disabled",
]
