"""What both stand-ins have: delays, failures on demand, and counters of calls, at `/standin`. It knows no service.

GET tells the counters, DELETE sets them to nought, and PUT changes `scale` (of delays) and `fail_next` (calls).
"""

import asyncio
import zlib
from collections import Counter

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


class Standin:
    def __init__(self, shortest: float, longest: float, scale: float) -> None:
        """The delay of a call lies between these seconds, times `scale`."""
        self.shortest = shortest
        self.longest = longest
        self.scale = scale
        self.fail_next = 0
        self.failed = 0
        self.calls: Counter[str] = Counter()

    def app(self, routes: list[BaseRoute]) -> Starlette:
        return Starlette(routes=[*routes, Route("/standin", self._control, methods=["GET", "PUT", "DELETE"])])

    async def answers(self, kind: str, about: str) -> bool:
        """After its delay; False: it is to fail. The same call takes the same time, whoever asks and whenever."""
        self.calls[kind] += 1
        # In turn of arrival, and not of what their delays come to.
        is_to_fail = self.fail_next > 0
        if is_to_fail:
            self.fail_next -= 1
            self.failed += 1
        await asyncio.sleep(self.seconds(f"{kind} {about}"))
        return not is_to_fail

    def seconds(self, about: str) -> float:
        share = zlib.crc32(about.encode()) % 1000 / 999
        return (self.shortest + share * (self.longest - self.shortest)) * self.scale

    async def _control(self, request: Request) -> Response:
        if request.method == "PUT":
            asked = await request.json()
            self.scale = float(asked.get("scale", self.scale))
            self.fail_next = int(asked.get("fail_next", self.fail_next))
        if request.method == "DELETE":
            self.calls.clear()
            self.failed = 0
        return JSONResponse({"calls": self.calls.total(), "by_kind": dict(self.calls), "failed": self.failed})


def failure() -> Response:
    return JSONResponse({"error": "it fails on demand"}, status_code=503)
