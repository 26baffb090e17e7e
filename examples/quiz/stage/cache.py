"""The sidecar, and the Redis that it may have behind it."""

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from stage.process import FOLDER, ROOT, Process, StartError

SIDECAR: Final = Path(os.environ.get("PANNIER_BIN", ROOT / ".build" / "release" / "pannier"))
POLICIES: Final = FOLDER / "pannier.yaml"


def sidecar(
    socket_path: Path, policies: Path = POLICIES, redis: Path | None = None, flags: Sequence[str] = ()
) -> Process:
    if not SIDECAR.exists():
        raise StartError(f"{SIDECAR} is not there: `make example` builds it, PANNIER_BIN names another")
    environment = {"PANNIER_REDIS_URL": f"unix://{redis}"} if redis is not None else {}
    # A killed one leaves its socket, which the next replaces.
    arguments: list[str | Path] = [SIDECAR, "serve", *flags, "--config", policies, "--socket", socket_path]
    started = Process(arguments, environment=environment)
    started.wait_for(accepts(socket_path))
    return started


def redis(folder: Path) -> Process:
    """On `folder/redis.sock`, keeping nothing."""
    path = folder / "redis.sock"
    own: list[str | Path] = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", "", "--appendonly", "no"]
    started = Process(["redis-server", *own], cwd=folder)
    started.wait_for(accepts(path))
    return started


def accepts(path: Path) -> Callable[[], bool]:
    def serves() -> bool:
        with socket.socket(socket.AF_UNIX) as tried:
            return tried.connect_ex(os.fspath(path)) == 0

    return serves
