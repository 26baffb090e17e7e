"""The application's workers, and the stand-ins that they ask."""

import os
import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from stage.process import FOLDER, ROOT, Process


def worker(socket_path: Path, settings: Mapping[str, str]) -> Process:
    """One process of the application, on a socket of its own as behind a load balancer. It may not serve yet."""
    quiet = ["--no-access-log", "--log-level", "warning"]
    # Longer than whoever is before it keeps a connection that isn't used.
    return uvicorn(["--uds", os.fspath(socket_path), "--timeout-keep-alive", "75", *quiet], settings)


def uvicorn(arguments: Sequence[str], settings: Mapping[str, str], *, is_shown: bool = False) -> Process:
    paths = os.pathsep.join(os.fspath(path) for path in (FOLDER, ROOT / "clients" / "python" / "src"))
    return Process(
        [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", *arguments],
        environment={"PYTHONPATH": paths, **settings},
        is_shown=is_shown,
    )


@dataclass(frozen=True)
class Standins:
    process: Process
    canvas_url: str
    llm_url: str

    def canvas_calls(self) -> int:
        return _calls(self.canvas_url)

    def llm_calls(self) -> int:
        return _calls(self.llm_url)


def _calls(url: str) -> int:
    counted: int = httpx.get(f"{url}/standin").raise_for_status().json()["calls"]
    return counted


@contextmanager
def standins(scale: float) -> Generator[Standins, None, None]:
    with listening() as canvas, listening() as llm:
        urls = [f"http://127.0.0.1:{opened.getsockname()[1]}" for opened in (canvas, llm)]
        fds = [canvas.fileno(), llm.fileno()]
        arguments = [sys.executable, "-m", "standins", "--scale", str(scale), "--fds", *map(str, fds)]
        with Process(arguments, fds=fds) as process:
            # Who connects before it accepts is kept waiting, and not refused.
            yield Standins(process, *urls)


def listening(port: int = 0) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("127.0.0.1", port))
    opened.listen(128)
    return opened
