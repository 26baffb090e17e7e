"""A real sidecar for tests, in a folder of its own, started and ended by its process id. It knows no requests but the
one that moves the clock.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket as sockets
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pannier._durations import seconds
from pannier._sync import SyncLink
from pannier._wire import line, parse

if TYPE_CHECKING:
    from types import TracebackType

    from pannier._durations import Duration

# A debug build on a busy machine.
_START_SECONDS: Final = 30.0
# It promises to be gone within this.
_STOP_SECONDS: Final = 5.0
# Between two tries to connect the process is waited for, so that its early end is noticed at once.
_TRY_SECONDS: Final = 0.01


class SidecarProcess:
    """`configuration`: as `pannier.yaml` has it. Its time stands still until `advance` moves it."""

    def __init__(self, configuration: str = "defaults: {jitter: 0}") -> None:
        self._binary = find_binary()
        # Not pytest's own, whose paths are too long for sockets.
        self._folder = tempfile.TemporaryDirectory(prefix="pannier-")
        folder = Path(self._folder.name)
        self.socket = folder / "pannier.sock"
        self._log = folder / "log"
        self._file = folder / "pannier.yaml"
        self._file.write_text(configuration + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SidecarProcess:
        # Variables that are meant for clients, or for another sidecar, are not this one's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
        command = [self._binary, "serve", "--test-clock", "--config", str(self._file), "--socket", str(self.socket)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        try:
            self._wait_until_it_serves(self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("it has not been started: expected it as a context manager")
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def advance(self, duration: Duration) -> None:
        """Moves its clock on."""
        link = SyncLink(str(self.socket))
        try:
            parse(link.exchange(line("advance", {"seconds": seconds(duration)})))
        finally:
            link.close()

    def _wait_until_it_serves(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with sockets.socket(sockets.AF_UNIX) as end:
                try:
                    return end.connect(str(self.socket))
                except (FileNotFoundError, ConnectionRefusedError):
                    pass
            try:
                status = process.wait(_TRY_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError(f"{self._binary} ended with {status} at its start\n{self.log}")
        raise RuntimeError(f"{self._binary} did not serve within {_START_SECONDS:g} s\n{self.log}")

    def _end(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()


def find_binary() -> str:
    """`PANNIER_BIN`, else `pannier` on PATH."""
    named = os.environ.get("PANNIER_BIN")
    found = shutil.which(named or "pannier")
    if found is not None:
        return found
    if named:
        raise FileNotFoundError(f"PANNIER_BIN is {named!r}, which is no program: expected the path of a pannier binary")
    raise FileNotFoundError(
        "there is no sidecar to start: expected PANNIER_BIN, the path of a pannier binary, or `pannier` on PATH"
    )
