"""The fixtures that pytest has where pannier is installed, in a test run of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from daemon import BINARY
from pannier import cache, cached
from pannier._settings import settings

if TYPE_CHECKING:
    from pannier.testing import FakeCache, SidecarProcess

SOURCES = Path(__file__).parents[1] / "src"

TESTS = """
import pytest
from pannier import MISS, cache, cached
from pannier._settings import settings

runs = []

@cached("ns", ttl="10m", key="k")
def number():
    runs.append(1)
    return len(runs)

def test_fake(pannier_fake):
    assert [number(), number()] == [1, 1]
    pannier_fake.advance("11m")
    assert number() == 2

def test_disabled(pannier_fake, pannier_disabled):
    assert [number(), number()] == [3, 4]

@pytest.fixture
def pannier_configuration():
    return "defaults: {jitter: 0, ttl: 1m}"

def test_sidecar(pannier_sidecar):
    assert [number(), number()] == [5, 5]
    cache.sync.set("ns", "by the policy", 1)
    pannier_sidecar.advance(60)
    assert cache.sync.get("ns", "by the policy") is MISS
    assert number() == 5

def test_all_is_as_it_was():
    assert settings.socket is None
    assert settings.enabled
"""


def run(folder: Path, tests: str, binary: Path, **more: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_app.py").write_text(tests, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANNIER_")}
    environment.update({"PYTHONPATH": str(SOURCES), "PANNIER_BIN": str(binary), **more})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "pannier._pytest_plugin",
        "-p",
        "no:cacheprovider",
        str(folder),
    ]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_fixtures(tmp_path: Path) -> None:
    ended = run(tmp_path, TESTS, BINARY)
    assert ended.returncode == 0, ended.stdout
    assert "4 passed" in ended.stdout


def test_without_a_sidecar_to_start_it_says_so(tmp_path: Path) -> None:
    tests = "def test_sidecar(pannier_sidecar):\n    pass\n"
    ended = run(tmp_path, tests, tmp_path / "none")
    assert ended.returncode == 1
    assert "1 error" in ended.stdout
    assert "which is no program: expected the path of a pannier binary" in ended.stdout
    unset = run(tmp_path, tests, Path(), PANNIER_BIN="", PATH=str(tmp_path))
    assert "expected PANNIER_BIN" in unset.stdout


def test_it_costs_a_test_run_next_to_nothing() -> None:
    script = "import sys, pannier._pytest_plugin; print([m for m in sys.modules if 'pannier.testing' in m])"
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    said = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_pip_tells_pytest_of_it() -> None:
    project = (SOURCES.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.pytest11]\npannier = "pannier._pytest_plugin"\n' in project


def test_here_too(pannier_fake: FakeCache) -> None:
    @cached("ns", key="k")
    def number() -> int:
        return 1

    assert [number(), number()] == [1, 1]
    assert pannier_fake.stats("ns")["hits"] == 1


def test_a_sidecar_of_ones_own(pannier_sidecar: SidecarProcess) -> None:
    assert cache.sync.ping() is True
    assert settings.socket == str(pannier_sidecar.socket)
    assert pannier_sidecar.pid > 0
    assert "serving" in pannier_sidecar.log


@pytest.mark.parametrize("pannier_configuration", ["defaults: {tll: 5}"])
def test_one_that_does_not_start_says_why(pannier_configuration: str) -> None:
    from pannier.testing import SidecarProcess

    with pytest.raises(RuntimeError, match='did you mean "ttl"'), SidecarProcess(pannier_configuration):
        pass
