"""Runs the command line and tells how it ended. What it should have done is the tests' matter."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

BINARY = Path(os.environ.get("PANNIER_BIN", Path(__file__).parents[2] / ".build" / "debug" / "pannier"))

# Root may connect to any socket, unless it is started without that right.
LIKE_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()

# Long enough for a debug build on a busy machine, and for the five seconds that the command itself waits.
RUN_SECONDS = 30.0

HIT, MISS, ERROR = 0, 1, 2


@dataclass
class Run:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Argument = str | bytes


def start(
    *arguments: Argument,
    variables: dict[str, str] | None = None,
    streams: int | None = subprocess.PIPE,
    wrapper: tuple[str, ...] = (),
) -> subprocess.Popen[bytes]:
    """Starts the command with none of the variables by which a socket is found, but those given."""
    hidden = ("PANNIER_", "XDG_RUNTIME_DIR")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    # Whatever runs the tests in the background has its children ignore the interrupts that some tests send.
    interruptible = ("env", "--default-signal=INT")
    return subprocess.Popen(
        [*interruptible, *wrapper, os.fspath(BINARY), *arguments],
        stdin=subprocess.PIPE,
        stdout=streams,
        stderr=subprocess.PIPE,
        env=environment | (variables or {}),
    )


def run(
    *arguments: Argument, stdin: bytes = b"", variables: dict[str, str] | None = None, wrapper: tuple[str, ...] = ()
) -> Run:
    with start(*arguments, variables=variables, wrapper=wrapper) as process:
        try:
            out, err = process.communicate(stdin, RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Run(process.returncode, out.decode(), err.decode())
