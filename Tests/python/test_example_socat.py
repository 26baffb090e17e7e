"""`examples/socat/run` prints what the README beside it shows."""

from __future__ import annotations

import os
import subprocess

import pytest

import documents
from daemon import BINARY, ROOT

FOLDER = ROOT / "examples" / "socat"
# A dozen connections, and a debug build's start on a busy machine.
RUN_SECONDS = 60.0


def run(binary: object = BINARY) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
    return subprocess.run(
        [FOLDER / "run"],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
        env={**environment, "PANNIER_BIN": str(binary)},
    )


def test_it_prints_what_its_readme_shows() -> None:
    (shown,) = documents.blocks(FOLDER / "README.md", "text")
    ended = run()
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr
    printed = ended.stdout.strip("\n").split("\n")
    documents.assert_lines_fit(printed, shown)


@pytest.mark.parametrize("binary", ["/bin/false", "/nowhere/pannier"])
def test_it_fails_where_there_is_no_daemon(binary: str) -> None:
    ended = run(binary)
    assert ended.returncode == 1
    assert ended.stderr
    assert "<--" not in ended.stdout
