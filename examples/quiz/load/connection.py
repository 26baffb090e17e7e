"""One HTTP/1.1 connection over a Unix socket, one request at a time. As little as a load needs, so that what is
measured is the other end.
"""

import asyncio
from pathlib import Path
from typing import Final

_END: Final = b"\r\n\r\n"


class Answer:
    __slots__ = ("body", "head", "status")

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body

    def header(self, name: bytes) -> bytes:
        """`name` in lower case, as uvicorn sends them."""
        _, found, rest = self.head.partition(b"\r\n" + name + b": ")
        return rest.partition(b"\r\n")[0] if found else b""

    @property
    def statements(self) -> int:
        return int(self.header(b"x-database-statements") or 0)


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, path: Path) -> "Connection":
        _, opened = await asyncio.get_running_loop().create_unix_connection(cls, str(path))
        return opened

    async def ask(self, request: bytes) -> Answer:
        """Raises ConnectionError."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(_END)
        if not found:
            return
        _, _, after = head.lower().partition(b"\r\ncontent-length: ")
        length = int(after.partition(b"\r\n")[0])
        if len(body) < length or self._answer is None:
            return
        status = int(head[9:12])
        self._received.clear()
        if not self._answer.done():
            self._answer.set_result(Answer(status, bytes(head) + b"\r\n", bytes(body)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(str(exc or "closed")))


def request(method: str, path: str, user: str, body: bytes = b"", more: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: quiz\r\nX-User-Id: {user}\r\n{more}"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
