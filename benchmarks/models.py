"""Runs the Swift tests with ten times as many random steps."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

from daemon import ROOT

if TYPE_CHECKING:
    from figures import Figures

# Far beyond what it takes: a test that hangs is found by it.
LONGEST_SECONDS = 1200


def soak(figures: Figures, _share: float) -> None:
    figures.heading("The Swift tests with ten times as many random steps")
    began = time.monotonic()
    ended = subprocess.run(
        ["scripts/swift", "test"],
        cwd=ROOT,
        env={**os.environ, "PANNIER_SOAK": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    said = re.findall(r"Test run with .*", ended.stdout)
    figures.check("swift test", ended.returncode == 0, said[-1] if said else f"ended with {ended.returncode}")
    if ended.returncode != 0:
        figures.note(ended.stdout[-4000:] + ended.stderr[-4000:])
    figures.figure("time, building included", round(time.monotonic() - began), unit="s")
