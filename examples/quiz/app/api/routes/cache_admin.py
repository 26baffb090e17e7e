"""The cache's own routes, behind the admin token: those of every application, and what this worker has counted."""

from fastapi import Depends

from app.api.deps import admin
from pannier import counters
from pannier.fastapi import admin_router

# /admin/cache/stats, /clear/{name}, /warm and others.
router = admin_router(dependencies=[Depends(admin)])


@router.get("/process")
async def process() -> dict[str, dict[str, int]]:
    """Of the worker that answers: what its functions' calls came to, and the tokens that hits have saved."""
    return counters()
