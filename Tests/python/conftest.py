"""What the tests share: the transcripts as parameters, and a daemon for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

StartDaemon = Callable[[str], Daemon]


@pytest.fixture
def start_daemon() -> Iterator[StartDaemon]:
    """Starts daemons with the configuration given; they are ended, and must end well, after the test."""
    with ExitStack() as running:
        yield lambda configuration: running.enter_context(Daemon(configuration))
