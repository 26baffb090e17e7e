"""Lets a test change the process's settings and leave none of it behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pannier._settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def restored_settings() -> Generator[None]:
    """Afterwards they are as before, whatever was configured in it."""
    names = [name for name in Settings.__slots__ if name != "version"]
    before = {name: getattr(settings, name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
        # Never one that was: connections are those of a version.
        settings.version += 1
