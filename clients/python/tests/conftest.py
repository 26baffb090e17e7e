"""A sidecar of its own for each test that wants one, and settings as they were afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from daemon import Daemon
from pannier import Cache, cache, configure
from pannier._settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def restored_settings() -> Iterator[None]:
    names = ("socket", "enabled", "connect_timeout", "request_timeout", "breaker_pause")
    before = {name: getattr(settings, name) for name in names}
    # On a busy machine an answer may be late.
    configure(connect_timeout=5, request_timeout=5)
    yield
    cache.sync.close()
    for name, value in before.items():
        setattr(settings, name, value)
    settings.version += 1


@pytest.fixture
def sidecar() -> Iterator[Daemon]:
    """Its time stands still."""
    with Daemon("defaults: {jitter: 0}") as daemon:
        configure(socket=daemon.socket)
        yield daemon


@pytest.fixture
def store(sidecar: Daemon) -> Iterator[Cache]:
    """Whatever goes wrong is raised."""
    with Cache(os.fspath(sidecar.socket), raises=True) as store:
        yield store
