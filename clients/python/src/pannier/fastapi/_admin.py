"""`admin_router`: what a sidecar knows, and what may be done to it, over HTTP. It says what the sidecar says, its
refusals included, and knows no HTTP cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from pannier import _calls as calls
from pannier import warm, warm_runs, warmers
from pannier._async_cache import cache
from pannier._calls import Call
from pannier._errors import RefusedError, UnavailableError
from pannier._wire import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pannier import AsyncCache

# Of an error's code; any other is the caller's mistake.
_STATUSES = {
    "forbidden": 403,
    "unknown_namespace": 404,
    "overloaded": 503,
    "tier_unavailable": 503,
    "shutting_down": 503,
    "internal": 502,
}


class Clearing(BaseModel):
    """What of a namespace is to be ended: all of it, what fits a glob, or what bears any of the tags."""

    model_config = ConfigDict(extra="forbid")
    match: str | None = None
    tags: list[str] = []
    soft: bool = False
    dry_run: bool = False


class Warming(BaseModel):
    """Which warmers are to run, and with how many calls at once; without names: all."""

    model_config = ConfigDict(extra="forbid")
    names: list[str] = []
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 8


def admin_router(
    *,
    dependencies: Sequence[Any] = (),
    prefix: str = "/admin/cache",
    insecure: bool = False,
    client: AsyncCache | None = None,
) -> APIRouter:
    """`dependencies`: what guards it, `[Depends(require_admin)]`. Without any it is not made, unless `insecure`: who
    may clear a cache can bring down what it protects, and keys tell of users.
    """
    if not dependencies and not insecure:
        raise ValueError("admin_router has no guard: give dependencies=[Depends(…)], or insecure=True")
    router = APIRouter(prefix=prefix, tags=["cache"], dependencies=[*dependencies, Depends(_not_kept)])
    sidecar = _Sidecar(client or cache)

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        return _with_rates(await sidecar.ask(calls.stats(None)))

    @router.get("/stats/{ns}")
    async def stats_of(ns: str) -> dict[str, Any]:
        return _with_rates(await sidecar.ask(calls.stats(ns)))

    @router.get("/keys/{ns}")
    async def keys(
        ns: str, match: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100, after: str | None = None
    ) -> dict[str, Any]:
        asked = line("keys", {"ns": ns, "match": match, "limit": limit, "after": after})
        found = await sidecar.ask(Call(asked, lambda answer: answer.fields, {}))
        return {"keys": found["keys"], "next": found.get("next")}

    @router.get("/explain/{ns}")
    async def explain(ns: str, key: str) -> dict[str, Any]:
        return await sidecar.ask(calls.explain(ns, key))

    @router.post("/clear/{ns}")
    async def clear(ns: str, what: Clearing | None = None) -> dict[str, Any]:
        what = what or Clearing()
        asked = calls.clear(ns, match=what.match, tags=what.tags, soft=what.soft, dry_run=what.dry_run)
        found = await sidecar.ask(Call(asked.line, lambda answer: answer.fields, {}, asked.wait))
        return {"cleared": found["cleared"], **({"sample": found["sample"]} if what.dry_run else {})}

    @router.get("/policy/{ns}")
    async def policy(ns: str) -> dict[str, Any]:
        return await sidecar.ask(calls.policy(ns, None))

    @router.patch("/policy/{ns}")
    async def change_policy(ns: str, changes: dict[str, Any]) -> dict[str, Any]:
        return await sidecar.ask(calls.policy(ns, changes))

    @router.get("/warm")
    async def warmed() -> dict[str, Any]:
        return {"warmers": warmers(), "runs": await warm_runs(client=client)}

    @router.post("/warm")
    async def warm_up(what: Warming | None = None) -> dict[str, Any]:
        what = what or Warming()
        try:
            runs = await warm(*what.names, concurrency=what.concurrency, client=client)
        except KeyError as error:
            raise HTTPException(404, {"code": "unknown_warmer", "message": error.args[0]}) from None
        return {"runs": [run.as_dict() for run in runs]}

    return router


class _Sidecar:
    def __init__(self, client: AsyncCache) -> None:
        self._client = client

    async def ask(self, call: Call[dict[str, Any]]) -> dict[str, Any]:
        try:
            found = await self._client.ask(call)
        except RefusedError as error:
            raise HTTPException(
                _STATUSES.get(error.code, 400), {"code": error.code, "message": error.message}
            ) from None
        except UnavailableError as error:
            raise HTTPException(503, {"code": "unavailable", "message": str(error)}) from None
        return {name: value for name, value in found.items() if name != "ok"}


def _not_kept(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _with_rates(found: dict[str, Any]) -> dict[str, Any]:
    """The share of hits, which is what one looks for first; None: nothing was asked for."""
    for counts in found["namespaces"].values():
        asked = counts["hits"] + counts["misses"]
        counts["hit_rate"] = round(counts["hits"] / asked, 4) if asked else None
    return found
