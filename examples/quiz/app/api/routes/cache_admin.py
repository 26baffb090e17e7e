"""The cache's own routes, behind the admin token. They know no namespace's meaning."""

from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from app.api.deps import ResourcesDep, admin
from app.core.cache import NAMESPACES
from app.services import cache_warming
from pannier import cache

router = APIRouter(prefix="/admin/cache", tags=["cache"], dependencies=[Depends(admin)])


class Cleared(BaseModel):
    cleared: int


class Warmed(BaseModel):
    quizzes: int


@router.get("/stats")
async def stats() -> dict[str, Any]:
    return await cache.stats()


@router.post("/clear/{name}")
async def clear(name: str) -> Cleared:
    if name not in NAMESPACES:
        raise HTTPException(404, f"there is no namespace {name!r}; there is {', '.join(NAMESPACES)}")
    return Cleared(cleared=await cache.clear(name))


@router.post("/warm")
async def warm(having: ResourcesDep) -> Warmed:
    batch = having.settings.cache_warming_batch_size
    return Warmed(quizzes=await cache_warming.warm(having.sessions, batch))
