"""pytest's fixtures for tests of what uses the cache. Every test run of who has pannier installed imports this file, so
that what a fixture needs is imported by whoever asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from .testing import FakeCache, SidecarProcess


@pytest.fixture
def pannier_fake() -> Generator[FakeCache]:
    """A stand-in for the sidecar within the process, whose clock the test moves."""
    from .testing import FakeCache

    with FakeCache() as fake:
        yield fake


@pytest.fixture
def pannier_disabled() -> Generator[None]:
    """Functions run as if there were no cache, in all threads and tasks."""
    from . import configure
    from .testing._restored import restored_settings

    with restored_settings():
        configure(enabled=False)
        yield


@pytest.fixture
def pannier_configuration() -> str:
    """What `pannier_sidecar` is started with, as pannier.yaml has it: to be overridden."""
    return "defaults: {jitter: 0}"


@pytest.fixture
def pannier_sidecar(pannier_configuration: str) -> Generator[SidecarProcess]:
    """A real sidecar of the test's own, PANNIER_BIN or `pannier` on PATH; an error where there is none."""
    from . import cache, configure
    from .testing import SidecarProcess
    from .testing._restored import restored_settings

    with restored_settings(), SidecarProcess(pannier_configuration) as sidecar:
        # On a busy machine an answer may be late, and would be a miss.
        configure(socket=sidecar.socket, enabled=True, connect_timeout=5, request_timeout=5)
        try:
            yield sidecar
        finally:
            cache.sync.close()
