"""Starts the release build of the daemon for a measurement and ends it, by its own process id. It knows no figure.

Nothing of the environment's `PANNIER_` variables reaches it: what is measured is what the command line here says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from link import Link

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]
BINARY = Path(os.environ.get("PANNIER_RELEASE_BIN", ROOT / ".build" / "release" / "pannier"))

# Under valgrind, on a busy machine.
START_SECONDS = 60.0
# The server promises to be gone within 5 s after SIGTERM; under valgrind it is some 50 times slower.
STOP_SECONDS = 60.0
# Between two tries to connect the process is waited for, so that its early end is noticed in the same instant.
TRY_SECONDS = 0.005
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Daemon:
    """`pannier serve` on a socket of its own, in a folder of its own; a context manager."""

    def __init__(
        self,
        memory: str = "256MiB",
        *,
        configuration: str = "",
        binary: Path = BINARY,
        under: Sequence[str] = (),
        socket: Path | None = None,
    ) -> None:
        if not binary.exists():
            raise FileNotFoundError(f"{binary} is not there: `swift build -c release --product pannier` makes it")
        self._folder = tempfile.TemporaryDirectory(prefix="pannier-bench-")
        self.folder = Path(self._folder.name)
        self.socket = socket or self.folder / "pannier.sock"
        self._log = self.folder / "log"
        settings = self.folder / "pannier.yaml"
        settings.write_text(f"memory: {memory}\n{configuration}", encoding="utf-8")
        self._command = [*under, str(binary), "serve", "--config", str(settings), "--socket", str(self.socket)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Daemon:
        try:
            self.start()
        except BaseException:
            self.kill()
            self.forget()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = self.stop() if error is None else self.kill()
        log = self.log()
        self.forget()
        if error is None and status != 0:
            raise RuntimeError(f"the daemon ended with {status}\n{log}")
        if error is not None:
            print(f"the daemon's log:\n{log[-4000:]}")

    def start(self) -> None:
        """Starts it (again, where it has ended) and waits until it answers."""
        self._wait_until_it_serves(self.spawn())

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts it and waits for nothing."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.folder
            )
        return self._process

    def _wait_until_it_serves(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.connect() as link:
                    link.ask({"op": "ping"})
            except (FileNotFoundError, ConnectionError):
                try:
                    status = process.wait(TRY_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                raise RuntimeError(f"the daemon ended with {status} at its start\n{self.log()}") from None
            return
        raise RuntimeError(f"the daemon did not serve within {START_SECONDS:g} s\n{self.log()}")

    def stop(self) -> int:
        """Asks it to end, and returns its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Ends it with no chance to tidy up."""
        return self._end(signal.SIGKILL)

    def connect(self) -> Link:
        return Link(self.socket)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the daemon is not running")
        return self._process.pid

    def resident(self) -> int:
        """The memory the process takes now, in bytes, as the kernel counts it."""
        return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES

    def descriptors(self, clients: int = 0) -> int:
        """How many files and sockets it has open, once only `clients` connections and the one that asks are there."""
        with self.connect() as link:
            deadline = time.monotonic() + STOP_SECONDS
            while (open_ones := link.ask({"op": "stats"})["connections"]) > clients + 1:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{open_ones} connections are open, of {clients + 1}")
                time.sleep(TRY_SECONDS)
            return len(os.listdir(f"/proc/{self.pid}/fd"))

    def forget(self) -> None:
        """Removes its folder; it must have ended."""
        self._folder.cleanup()

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
