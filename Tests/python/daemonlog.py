"""What a daemon prints, line by line as it comes. It waits for lines with a bound, and never for time to pass."""

from __future__ import annotations

import threading
import time
from typing import IO

# Long enough for a busy machine, short enough that a line that never comes is found soon.
LINE_SECONDS = 10.0


class DaemonLog:
    """Reads a daemon's output to its end, on a thread of its own: a pipe that nobody reads would stop the daemon."""

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, text: str, after: int = 0) -> str:
        """The first line that contains `text`, of those after the first `after`."""
        deadline = time.monotonic() + LINE_SECONDS
        with self._more:
            while True:
                for line in self._lines[after:]:
                    if text in line:
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self._more.wait(left):
                    raise AssertionError(f"the daemon did not say {text!r}:\n" + "\n".join(self._lines))

    @property
    def lines(self) -> list[str]:
        with self._more:
            return list(self._lines)

    def close(self) -> str:
        """Everything that was printed; the daemon has ended."""
        self._thread.join(LINE_SECONDS)
        self._output.close()
        return "\n".join(self.lines)

    def _read(self) -> None:
        for line in self._output:
            with self._more:
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
                self._more.notify_all()
