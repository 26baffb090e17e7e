"""The command line against the daemon itself."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from command import ERROR, HIT, MISS, RUN_SECONDS, Argument, Run, run, start
from command_cases import ODD

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from conftest import StartDaemon

WATCHING = b'{"ok":true,"watching":true}\n'


class Pannier:
    """The command line, for one daemon."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, *arguments: Argument, stdin: bytes = b"") -> Run:
        return run(*arguments, stdin=stdin, variables={"PANNIER_SOCKET": str(self._path)})

    def watch(self, *arguments: str) -> subprocess.Popen[bytes]:
        return start("watch", *arguments, variables={"PANNIER_SOCKET": str(self._path)})


@pytest.fixture
def pannier(start_daemon: StartDaemon) -> Pannier:
    return Pannier(start_daemon("defaults: {jitter: 0, stale: 1m}\n").socket)


def test_daemon_values_come_back_as_they_went(pannier: Pannier) -> None:
    assert pannier("ping") == Run(HIT, "pong\n", "")
    assert pannier("get", "quiz", "k") == Run(MISS, "", "miss\n")
    assert pannier("set", "quiz", "k", ODD, "--tags", "a,b") == Run(HIT, "stored\n", "")
    assert pannier("get", "quiz", "k") == Run(HIT, ODD + "\n", "")
    assert "\ntags: a, b\n" in pannier("get", "quiz", "k", "--meta").err
    assert pannier("set", "quiz", "k", "1", "--if-absent").status == MISS
    assert pannier("exists", "quiz", "k") == Run(HIT, "true\n", "")
    assert pannier("touch", "quiz", "k", "--ttl", "1h") == Run(HIT, "touched\n", "")
    assert pannier("explain", "quiz", "k").out.startswith("fresh: ")
    assert pannier("delete", "quiz", "k", "other") == Run(HIT, "deleted 1\n", "")
    assert pannier("delete", "quiz", "k") == Run(MISS, "deleted 0\n", "")
    assert pannier("explain", "quiz", "k").out.startswith("absent: it was deleted")


def test_daemon_namespaces(pannier: Pannier) -> None:
    odd = 'a"\\\n\x01é'
    for key in (odd, "b", "c"):
        assert pannier("set", "quiz", key, "1").status == HIT
    lines = pannier("keys", "quiz", "--all", "--json").out.splitlines()
    assert sorted(key for line in lines for key in json.loads(line)["keys"]) == sorted([odd, "b", "c"])
    assert pannier("clear", "quiz", "--match", "[bc]", "--dry-run").out.startswith(
        "would clear 2 entries, for example: "
    )
    assert pannier("clear", "quiz", "--match", "[bc]") == Run(HIT, "cleared 2 entries\n", "")
    assert pannier("keys", "quiz").out == 'a"\\\\\\n\\u{1}é\n'
    assert "\nttl: 10m\n" in "\n" + pannier("policy", "quiz", "ttl=10m", "max_bytes=64MiB").out
    assert "\nmax_bytes: 64MiB\n" in pannier("policy", "quiz").out
    rules = "[{match: 'tmp:*', ttl: 5s, jitter: 0.5}, {match: 'a*', max_ttl: none, stale: 1h30m}]"
    assert "\n  - {match: 'tmp:*', ttl: 5s, jitter: 0.5}\n" in pannier("policy", "quiz", f"rules={rules}").out
    assert pannier("policy", "quiz", "tll=1").status == ERROR
    assert pannier("stats", "quiz").out.startswith("hit rate ")
    assert "\nquiz " in pannier("stats").out


@pytest.mark.parametrize("options", [(), ("--all",), ("--limit", "40"), ("--limit", "5000"), ("--json",)])
def test_daemon_lists_keys_by_pages_of_its_own_limit(start_daemon: StartDaemon, options: tuple[str, ...]) -> None:
    pannier = Pannier(start_daemon("limits: {items: 7}\n").socket)
    for key in range(20):
        assert pannier("set", "quiz", f"k{key}", "1").status == HIT
    listed = pannier("keys", "quiz", *options)
    assert (listed.status, listed.err) == (HIT, "")
    lines = listed.out.splitlines()
    keys = [key for line in lines for key in json.loads(line)["keys"]] if "--json" in options else lines
    assert sorted(keys) == sorted(f"k{key}" for key in range(20))


def test_daemon_is_watched(pannier: Pannier) -> None:
    with pannier.watch("quiz", "--json") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == WATCHING
        assert pannier("set", "quiz", "k", "1", "--ttl", "none").status == HIT
        event = json.loads(watching.stdout.readline())
        assert (event["event"], event["ns"], event["key"], event["ttl"]) == ("set", "quiz", "k", None)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(RUN_SECONDS) == -signal.SIGINT
