"""`watch`: what happens in the sidecar, event by event, on a connection of its own. It keeps none, and begins anew for
nobody: who watches sees the connection end.
"""

from __future__ import annotations

import json
import socket as sockets
from typing import TYPE_CHECKING, Any, Final

from ._errors import UnavailableError
from ._settings import settings
from ._wire import line, parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

# Beyond what a line of the sidecar's may have.
_LINE_BYTES: Final = 32 << 20


def _request(ns: str | None, events: Sequence[str] | None, sample: float | None) -> bytes:
    return line("watch", {"ns": ns, "events": list(events) if events is not None else None, "sample": sample}) + b"\n"


def watch(
    socket: str | None, ns: str | None, events: Sequence[str] | None, sample: float | None
) -> Iterator[dict[str, Any]]:
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as end:
        try:
            end.settimeout(settings.connect_timeout)
            end.connect(settings.path(socket))
            end.settimeout(settings.request_timeout)
            end.sendall(_request(ns, events, sample))
            lines = end.makefile("rb")
            parse(lines.readline().rstrip(b"\n") or b"{}")
            # Events come when they come.
            end.settimeout(None)
            for text in lines:
                event: dict[str, Any] = json.loads(text)
                # An error, such as that the sidecar is going, is the last.
                if "event" not in event:
                    return
                yield event
        except OSError as error:
            raise UnavailableError(str(error)) from error


async def watch_async(
    socket: str | None, ns: str | None, events: Sequence[str] | None, sample: float | None
) -> AsyncIterator[dict[str, Any]]:
    import asyncio

    opening = asyncio.open_unix_connection(settings.path(socket), limit=_LINE_BYTES)
    try:
        reader, writer = await asyncio.wait_for(opening, settings.connect_timeout)
    except (OSError, asyncio.TimeoutError) as error:
        raise UnavailableError(str(error) or "no connection in time") from error
    try:
        writer.write(_request(ns, events, sample))
        first = await asyncio.wait_for(reader.readline(), settings.request_timeout)
        parse(first.rstrip(b"\n") or b"{}")
        while text := await reader.readline():
            event: dict[str, Any] = json.loads(text)
            if "event" not in event:
                return
            yield event
    except (OSError, asyncio.TimeoutError) as error:
        raise UnavailableError(str(error) or "no answer in time") from error
    finally:
        writer.close()
