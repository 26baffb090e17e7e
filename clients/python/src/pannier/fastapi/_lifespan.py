"""What an app does with the cache from its start to its end, and how its routes get hold of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends

import pannier
from pannier import AsyncCache
from pannier._async_cache import cache
from pannier._log import warn as log_warning

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def lifespan(
    inner: Lifespan | None = None, *, warm: bool | Sequence[str] = False, client: AsyncCache | None = None
) -> Lifespan:
    """`FastAPI(lifespan=lifespan())`: closes the loop's connection at the end. `inner`: the app's own, within it.
    `warm`: the warmers that run in the background from the start on, True: all; requests don't wait for them.
    """
    names = () if isinstance(warm, bool) else tuple(warm)
    if isinstance(warm, str):
        raise TypeError(f"warm is {warm!r}: expected a list of warmers' names")

    @asynccontextmanager
    async def run(app: Any) -> AsyncGenerator[Any, None]:
        warming = asyncio.create_task(_warm(names, client)) if warm else None
        try:
            async with inner(app) if inner is not None else nullcontext() as state:
                yield state
        finally:
            if warming is not None:
                warming.cancel()
                await asyncio.wait([warming])
            await (client or cache).aclose()

    return run


async def _warm(names: Sequence[str], client: AsyncCache | None) -> None:
    try:
        await pannier.warm(*names, client=client)
    except Exception as error:  # The app has begun, and serves without.
        log_warning(f"warming has failed: {type(error).__name__}: {error}")


def get_cache() -> AsyncCache:
    """For `app.dependency_overrides`, by which a test gives its routes another one."""
    return cache


# `async def route(cache: CacheDep)`.
CacheDep = Annotated[AsyncCache, Depends(get_cache)]
