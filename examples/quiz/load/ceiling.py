"""How fast the generator is by itself: against a server that answers every request with the same bytes at once."""

import asyncio
import multiprocessing
import tempfile
from pathlib import Path

from load.driver import Driver
from load.mix import steps
from stage.cache import accepts

_BODY = b'{"id":"' + b"0" * 600 + b'"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-database-statements: 1\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert data
        self._transport.write(_ANSWER)


def _serve(path: str) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_unix_server(_Echo, path)
        await server.serve_forever()

    asyncio.run(serve())


def requests_a_second(seconds: float) -> float:
    with tempfile.TemporaryDirectory(prefix="quiz-ceiling-") as folder:
        path = Path(folder) / "echo"
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(str(path),), daemon=True)
        process.start()
        serves = accepts(path)
        while not serves() and process.is_alive():
            process.join(0.01)
        # Approvals read what they approve of first, which the same bytes don't have.
        asked = (step for step in steps(0.9, 1) if step.kind != "approve")
        result = asyncio.run(Driver([path]).run(asked, seconds=seconds))
        process.terminate()
        process.join()
    return len(result.samples) / result.seconds
