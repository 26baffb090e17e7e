"""A sidecar of its own for each test that wants one, and settings as they were afterwards."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import pytest
from callers import Plain
from hypothesis import settings as hypothesis_settings

from daemon import Daemon
from pannier import Cache, cache, cached, configure
from pannier.testing._restored import restored_settings as settings_as_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# No test is about how long it takes: a busy machine needs more than hypothesis allows.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

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


@pytest.fixture(params=["sync", "async"])
def made(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Decorates a plain function as `def` or as `async def`; what comes back is called plainly either way."""

    def make(function: Callable[..., Any], **options: Any) -> Any:
        if request.param == "sync":
            return cached("ns", **options)(function)

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return Plain(cached("ns", **options)(coroutine))

    return make
