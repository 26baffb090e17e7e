"""A cache that all workers of a host share: a client of the Pannier sidecar. Functions are decorated, and that is all.

from pannier import cached

@cached("quizzes", ttl="10m", key="{quiz_id}")
async def get_quiz(quiz_id: UUID) -> Quiz | None: ...
"""

from ._async_cache import AsyncCache, AsyncNamespace, cache
from ._cache import Cache, Namespace
from ._cached import AsyncCachedFunction, CachedFunction, cached
from ._changes import cache_invalidate, cache_put
from ._entry import MISS, Entry
from ._errors import PannierError, RefusedError, UnavailableError
from ._keys import KeySpellingError, NoKey
from ._settings import configure, disabled
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
