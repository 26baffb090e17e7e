"""Tells of each answer how long it took, and how many statements it cost the database. It knows no routes."""

import os
import time
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Tally:
    """Of one request, whichever task of it asks."""

    __slots__ = ("statements",)

    def __init__(self) -> None:
        self.statements = 0


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


def count_statements(engine: AsyncEngine) -> None:
    event.listen(engine.sync_engine, "before_cursor_execute", _count)


def _count(*_: Any) -> None:
    tally = _tally.get()
    if tally is not None:
        tally.statements += 1


class Measuring:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._worker = str(os.getpid())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        tally = Tally()
        token = _tally.set(tally)

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                milliseconds = (time.perf_counter() - begun) * 1000
                headers["Server-Timing"] = f"app;dur={milliseconds:.2f}"
                headers["X-Database-Statements"] = str(tally.statements)
                headers["X-Worker"] = self._worker
            await send(message)

        try:
            await self._app(scope, receive, send_measured)
        finally:
            _tally.reset(token)
