"""Starts the real daemon for one test and ends it: by its own process id, bounded in time, and never by sleeping."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import programs
from daemonlog import DaemonLog
from peer import Peer

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from types import TracebackType

ROOT = Path(__file__).parents[2]
BINARY = Path(os.environ.get("PANNIER_BIN", ROOT / ".build" / "debug" / "pannier"))

# A debug build on a busy machine; a sanitised one is slower still.
START_SECONDS = 30.0

TEST_CLOCK = ("--test-clock",)


def unconfigured() -> dict[str, str]:
    """The environment without what would configure a daemon."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}


class Daemon:
    """`pannier serve` on a socket of its own, in a folder of its own; a context manager.

    `socket` is another daemon's, whose folder it then lives in; `open_files` is all it may have, and can't be raised.
    """

    def __init__(
        self,
        configuration: str = "",
        flags: Sequence[str] = TEST_CLOCK,
        socket: Path | None = None,
        open_files: int | None = None,
    ) -> None:
        if not BINARY.exists():
            raise FileNotFoundError(f"{BINARY} is not there: `swift build` makes it, PANNIER_BIN names another")
        self._folder = tempfile.TemporaryDirectory(prefix="pannier-")
        folder = Path(self._folder.name)
        self.socket = socket or folder / "pannier.sock"
        self.configuration = folder / "pannier.yaml"
        self.configuration.write_text(configuration, encoding="utf-8")
        # Variables of whoever runs the tests are not the test's configuration.
        environment = unconfigured()
        limited = ["sh", "-c", f'ulimit -n {open_files} && exec "$0" "$@"'] if open_files is not None else []
        self._process = subprocess.Popen(
            [*limited, BINARY, "serve", *flags, "--config", self.configuration, "--socket", self.socket],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        assert self._process.stdout is not None
        self.log = DaemonLog(self._process.stdout)

    def __enter__(self) -> Daemon:
        try:
            programs.wait_until(self._serves, self._process, "the daemon", START_SECONDS)
        except programs.StartError as error:
            raise RuntimeError(f"{error}\n{self._end()[1]}") from None
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended_by_test = self._process.returncode is not None
        status, log = self._end()
        if error is None and status != 0 and not ended_by_test:
            raise RuntimeError(f"the daemon ended with {status}\n{log}")
        if error is not None:
            print(f"the daemon's log:\n{log}")

    def connect(self) -> Peer:
        return Peer.connect(self.socket)

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = programs.STOP_SECONDS) -> int:
        """Its exit status, once it has ended by itself or by a signal of the test's; below 0: what killed it."""
        return self._process.wait(seconds)

    def cpu_seconds(self) -> float:
        """Time it has computed, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def written(self) -> int:
        """How many times it has called for a write, whatever was written."""
        text = Path(f"/proc/{self.pid}/io").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("syscw:"))

    def _serves(self) -> bool:
        try:
            self.connect().close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def _end(self) -> tuple[int, str]:
        status = programs.end(self._process)
        log = self.log.close()
        self._folder.cleanup()
        return status, log
