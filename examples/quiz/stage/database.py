"""A PostgreSQL of its own: on a Unix socket in a folder of its own, keeping nothing."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stage.process import Process, StartError, unconfigured

# Debian has its programs there, by version, and not in the path.
FOLDERS: Final = "usr/lib/postgresql/*/bin"
# It refuses to run as root.
USER: Final = "nobody"


@contextmanager
def postgres() -> Generator[str, None, None]:
    """A server of its own on a Unix socket, which keeps nothing; its URL."""
    is_root = os.geteuid() == 0
    user = USER if is_root else None
    with tempfile.TemporaryDirectory(prefix="pannier-postgres-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        own = ["-U", "quiz", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        made = subprocess.run(
            [program("initdb"), "-D", name + "/data", *own],
            cwd=folder,
            user=user,
            env={**unconfigured(), "HOME": name},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise StartError(f"initdb ended with {made.returncode}\n{made.stderr}")
        fast = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        arguments = [program("postgres"), "-D", name + "/data", *fast]
        # SIGINT ends it though somebody is connected still.
        with Process(arguments, cwd=folder, user=user, end=signal.SIGINT) as server:
            server.wait_for(lambda: serves(folder))
            yield f"postgresql://quiz@/postgres?host={folder}"


def serves(folder: Path) -> bool:
    asked = [program("pg_isready"), "-q", "-h", os.fspath(folder)]
    return subprocess.run(asked, check=False).returncode == 0


def program(name: str) -> str:
    found = shutil.which(name) or next(iter(sorted(Path("/").glob(f"{FOLDERS}/{name}"))), None)
    if found is None:
        raise StartError(f"{name} is not there: apt-get install postgresql")
    return os.fspath(found)
