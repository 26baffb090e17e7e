"""Times a clean release build of the product, in a folder of its own."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from daemon import ROOT

if TYPE_CHECKING:
    from figures import Figures

FOLDER = ROOT / ".build-clean"
# Seconds, on two processors that do nothing else.
BOUND = 180


def measure(figures: Figures) -> None:
    figures.heading("Clean release build", "Dependencies are built too; fetching them counts where they aren't cached.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    began, before = time.monotonic(), processor_seconds()
    subprocess.run(
        ["scripts/swift", "build", "-c", "release", "--product", "pannier", "--scratch-path", FOLDER],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.monotonic() - began
    shutil.rmtree(FOLDER, ignore_errors=True)
    figures.figure("clean release build", round(seconds), BOUND, "s")
    figures.figure("processor time it took", round(processor_seconds() - before), unit="s")


def processor_seconds() -> float:
    """Of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
