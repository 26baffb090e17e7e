"""HTTP caching for FastAPI, and for any ASGI app made with Starlette: answers are kept for all workers of a host.

from fastapi import FastAPI
from pannier.fastapi import HTTPCache, http_cache

app = FastAPI()
app.add_middleware(HTTPCache)

@app.get("/quizzes/{quiz_id}")
@http_cache("5m")
async def get_quiz(quiz_id: UUID) -> Quiz: ...
"""

from ._cache import HTTPCache
from ._route import http_cache, http_invalidate
from ._rule import Rule

__all__ = ["HTTPCache", "Rule", "http_cache", "http_invalidate"]
