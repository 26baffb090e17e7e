"""How long a process stood in line for a processor, by the kernel's account: what a busy machine adds to any delay.

Nothing is known of it where the kernel keeps no such account; then nothing is taken off.
"""

from __future__ import annotations

import os
from pathlib import Path


class WaitsForProcessor:
    """Of one process of a single thread."""

    def __init__(self, pid: int) -> None:
        path = Path(f"/proc/{pid}/schedstat")
        self._file = os.open(path, os.O_RDONLY) if path.exists() else None

    def seconds(self) -> float:
        """Since the process began."""
        if self._file is None:
            return 0.0
        # Nanoseconds on a processor, nanoseconds in line for one, and how often it was given one.
        return int(os.pread(self._file, 128, 0).split()[1]) / 1e9
