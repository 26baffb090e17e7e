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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._counters import counters
    from ._llm import llm_key
    from ._many import cached_many
    from ._warming import WarmRun, warm, warm_runs, warmer, warmers

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
    "WarmRun",
    "cache",
    "cache_invalidate",
    "cache_put",
    "cached",
    "cached_many",
    "configure",
    "counters",
    "disabled",
    "llm_key",
    "warm",
    "warm_runs",
    "warmer",
    "warmers",
]

# Imported by whoever first asks.
_LATER = {
    "WarmRun": "_warming",
    "cached_many": "_many",
    "counters": "_counters",
    "llm_key": "_llm",
    "warm": "_warming",
    "warm_runs": "_warming",
    "warmer": "_warming",
    "warmers": "_warming",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found
