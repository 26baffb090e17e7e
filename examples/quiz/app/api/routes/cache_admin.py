"""The cache's own routes, behind the admin token. They know no namespace's meaning."""

from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from app.api.deps import admin
from app.core.cache import NAMESPACES
from app.services import cache_warming
from pannier import cache, counters, warm_runs

router = APIRouter(prefix="/admin/cache", tags=["cache"], dependencies=[Depends(admin)])


class Cleared(BaseModel):
    cleared: int


@router.get("/stats")
async def stats() -> dict[str, Any]:
    """`sidecar`: of the host; `process`: of the worker that answers; `warming`: the last runs."""
    return {"sidecar": await cache.stats(), "process": counters(), "warming": await warm_runs()}


@router.post("/clear/{name}")
async def clear(name: str) -> Cleared:
    if name not in NAMESPACES:
        raise HTTPException(404, f"there is no namespace {name!r}; there is {', '.join(NAMESPACES)}")
    return Cleared(cleared=await cache.clear(name))


@router.post("/warm")
async def warm() -> list[dict[str, Any]]:
    return [run.as_dict() for run in await cache_warming.run()]
