"""A program that a test has started, until it serves and until it is gone: by its own process id, bounded in time, and
never by sleeping. It knows none of them.
"""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The sidecar promises to be gone within this after SIGTERM.
STOP_SECONDS = 5.0
# For a program that a test is done with: what Redis was not told is written to the disk, which may be busy for seconds.
END_SECONDS = 20.0
# Between two looks the process is waited for, so that its early end is noticed in the same instant.
TRY_SECONDS = 0.01


class StartError(RuntimeError):
    """It does not serve."""


def wait_until(serves: Callable[[], bool], process: subprocess.Popen[bytes], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not serves():
        with suppress(subprocess.TimeoutExpired):
            raise StartError(f"{what} ended with {process.wait(TRY_SECONDS)} at its start")
        if time.monotonic() > deadline:
            raise StartError(f"{what} did not serve within {seconds:g} s")


def end(process: subprocess.Popen[bytes]) -> int:
    """Asks it to, where it hasn't ended, and kills it where it doesn't; its exit status."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
