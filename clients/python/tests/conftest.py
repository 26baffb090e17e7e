"""A sidecar of its own for each test that wants one, and settings as they were afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from daemon import Daemon
from pannier import Cache, cache, configure
from pannier.testing._restored import restored_settings as settings_as_before

if TYPE_CHECKING:
    from collections.abc import Iterator


# Where pannier is installed, pip has told pytest of it.
pytest_plugins = ["pannier._pytest_plugin"]


@pytest.fixture(autouse=True)
def restored_settings() -> Iterator[None]:
    with settings_as_before():
        # On a busy machine an answer may be late.
        configure(connect_timeout=5, request_timeout=5)
        yield
        cache.sync.close()


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
