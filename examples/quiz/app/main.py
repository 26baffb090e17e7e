"""The application, put together. `uvicorn app.main:create_app --factory` serves it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from app.api.deps import Resources
from app.api.routes import cache_admin, quiz, users
from app.clients.canvas import CanvasClient
from app.clients.llm import LLMClient
from app.core import cache, database
from app.core.config import Settings
from app.middleware.measuring import Measuring, count_statements
from app.services import cache_warming
from pannier import cache as sidecar


def create_app(settings: Settings | None = None) -> FastAPI:
    """None: as the environment says."""
    chosen = settings if settings is not None else Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        cache.configure(chosen)
        engine = database.create_engine(chosen.database_url)
        count_statements(engine)
        sessions = database.sessions(engine)
        async with CanvasClient(chosen.canvas_url) as canvas, LLMClient(chosen.llm_url) as llm:
            app.state.resources = Resources(chosen, sessions, canvas, llm)
            cache_warming.register(sessions, chosen.cache_warming_batch_size)
            warming = asyncio.create_task(_warm_at_start(chosen))
            yield
            warming.cancel()
            with suppress(asyncio.CancelledError):
                await warming
        await sidecar.aclose()
        await engine.dispose()

    app = FastAPI(title="Quizzes", lifespan=lifespan)
    app.add_middleware(Measuring)
    for routes in (quiz, users, cache_admin):
        app.include_router(routes.router)
    return app


async def _warm_at_start(settings: Settings) -> None:
    """Beside the first requests, which wait for nothing."""
    if settings.cache_warming_enabled:
        await cache_warming.run()
