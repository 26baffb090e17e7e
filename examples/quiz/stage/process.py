"""A program while it runs: started, waited for, ended by its process id. It knows none of them."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

FOLDER: Final = Path(__file__).parents[1]
ROOT: Final = FOLDER.parents[1]

# On a busy machine, with all that Python has to import.
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
TRY_SECONDS: Final = 0.01
NOTHING: Final[Mapping[str, str]] = {}


class StartError(RuntimeError):
    """What it was to start does not serve."""


class Process:
    """A program while it runs; a context manager. What it writes is shown where it ends before it serves."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str] = NOTHING,
        cwd: Path = FOLDER,
        fds: Sequence[int] = (),
        user: str | None = None,
        end: signal.Signals = signal.SIGTERM,
        is_shown: bool = False,
    ) -> None:
        self._end_signal = end
        descriptor, path = tempfile.mkstemp(prefix="quiz-log-")
        os.unlink(path)
        self._log = os.fdopen(descriptor, "w+b")
        output = None if is_shown else self._log
        self._process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env={**unconfigured(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=fds,
            user=user,
            # Ctrl-C is for whoever started it, who then ends it in order.
            start_new_session=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, serves: Callable[[], bool]) -> None:
        """Where it comes to nothing the process is ended."""
        deadline = time.monotonic() + START_SECONDS
        why = ""
        while not why and not serves():
            with contextlib.suppress(subprocess.TimeoutExpired):
                why = f"ended with {self._process.wait(TRY_SECONDS)}"
            if time.monotonic() > deadline:
                why = f"does not serve after {START_SECONDS:g} s"
        if why:
            log = self.log()
            self.end()
            raise StartError(f"{self._process.args!r} {why}\n{log}")

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def cpu_seconds(self) -> float:
        """Time it has computed, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(self._end_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()


def unconfigured() -> dict[str, str]:
    """The environment without what would configure a sidecar or its clients."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
