"""HTTP caching for FastAPI, and for any ASGI app made with Starlette: answers are kept for all workers of a host.

from fastapi import FastAPI
from pannier.fastapi import HTTPCache, http_cache

app = FastAPI()
app.add_middleware(HTTPCache)

@app.get("/quizzes/{quiz_id}")
@http_cache("5m")
async def get_quiz(quiz_id: UUID) -> Quiz: ...
"""

from ._admin import admin_router
from ._cache import HTTPCache
from ._lifespan import CacheDep, get_cache, lifespan
from ._route import http_cache, http_invalidate
from ._rule import Rule

__all__ = [
    "CacheDep",
    "HTTPCache",
    "Rule",
    "admin_router",
    "get_cache",
    "http_cache",
    "http_invalidate",
    "lifespan",
]
