"""Starts the real daemon for one test and ends it: by its own process id, bounded in time, and never by sleeping."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from peer import Peer

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]
BINARY = Path(os.environ.get("PANNIER_BIN", ROOT / ".build" / "debug" / "pannier"))

# A debug build on a busy machine; a sanitised one is slower still.
START_SECONDS = 30.0
# The server promises to be gone within this after SIGTERM.
STOP_SECONDS = 5.0
# Between two tries to connect the process is waited for, so that its early end is noticed in the same instant.
TRY_SECONDS = 0.01


class Daemon:
    """`pannier serve` on a socket of its own, in a folder of its own; a context manager."""

    def __init__(self, configuration: str) -> None:
        if not BINARY.exists():
            raise FileNotFoundError(f"{BINARY} is not there: `swift build` makes it, PANNIER_BIN names another")
        self._folder = tempfile.TemporaryDirectory(prefix="pannier-")
        folder = Path(self._folder.name)
        self.socket = folder / "pannier.sock"
        self._log = folder / "log"
        (folder / "pannier.yaml").write_text(configuration, encoding="utf-8")
        # Variables of whoever runs the tests are not the transcript's configuration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(BINARY, "serve", "--test-clock"),
                    *("--config", folder / "pannier.yaml", "--socket", self.socket),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    def __enter__(self) -> Daemon:
        try:
            self._wait_until_it_serves()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status, log = self._end()
        if error is None and status != 0:
            raise RuntimeError(f"the daemon ended with {status}\n{log}")
        if error is not None:
            print(f"the daemon's log:\n{log}")

    def connect(self) -> Peer:
        return Peer.connect(self.socket)

    def _wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.connect().close()
            except (FileNotFoundError, ConnectionRefusedError):
                try:
                    status = self._process.wait(TRY_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                raise RuntimeError(f"the daemon ended with {status} at its start\n{self._read_log()}") from None
            return
        raise RuntimeError(f"the daemon did not serve within {START_SECONDS:g} s\n{self._read_log()}")

    def _end(self) -> tuple[int, str]:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        log = self._read_log()
        self._folder.cleanup()
        return status, log

    def _read_log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")
