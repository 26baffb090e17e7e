"""The application, put together. `uvicorn app.main:create_app --factory` serves it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api.deps import Resources
from app.api.routes import cache_admin, quiz, users
from app.clients.canvas import CanvasClient
from app.clients.llm import LLMClient
from app.core import cache, database
from app.core.config import Settings
from app.middleware.measuring import Measuring, count_statements
from app.services import cache_warming
from pannier.fastapi import HTTPCache, lifespan


def create_app(settings: Settings | None = None) -> FastAPI:
    """None: as the environment says."""
    chosen = settings if settings is not None else Settings.from_environment()
    cache.configure(chosen)
    # It connects when it is first asked.
    engine = database.create_engine(chosen.database_url)
    count_statements(engine)
    sessions = database.sessions(engine)

    @asynccontextmanager
    async def resources(app: FastAPI) -> AsyncGenerator[None, None]:
        async with CanvasClient(chosen.canvas_url) as canvas, LLMClient(chosen.llm_url) as llm:
            app.state.resources = Resources(chosen, sessions, canvas, llm)
            yield
        await engine.dispose()

    app = FastAPI(title="Quizzes", lifespan=lifespan(resources, warm=chosen.cache_warming_enabled))
    # What is added last lies outside: what was measured isn't kept.
    # Whatever it is called by, it is one site.
    app.add_middleware(HTTPCache, by_host=False)
    app.add_middleware(Measuring)
    for routes in (quiz, users, cache_admin):
        app.include_router(routes.router)
    cache_warming.register(app, sessions, chosen.cache_warming_batch_size)
    return app
