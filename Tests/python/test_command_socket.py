"""Where the command line looks for the daemon, and what it says where none can be reached or one says little."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from command import ERROR, HIT, LIKE_ANYBODY, run
from command_cases import OK
from fake_server import FakeServer

# Where the socket is.


@pytest.mark.parametrize(
    ("variables", "flag", "expected"),
    [
        ({"PANNIER_SOCKET": "b", "XDG_RUNTIME_DIR": "d"}, "a", "a"),
        ({"PANNIER_SOCKET": "b", "XDG_RUNTIME_DIR": "d"}, None, "b"),
        ({"PANNIER_SOCKET_PATH": "c", "XDG_RUNTIME_DIR": "d"}, None, "c"),
        ({"PANNIER_SOCKET": "", "XDG_RUNTIME_DIR": "d"}, None, "d/pannier.sock"),
    ],
)
def test_the_socket_is_found(tmp_path: Path, variables: dict[str, str], flag: str | None, expected: str) -> None:
    (tmp_path / "d").mkdir()
    absolute = {name: str(tmp_path / value) if value else "" for name, value in variables.items()}
    arguments = ["--socket", str(tmp_path / flag)] if flag else []
    with FakeServer(tmp_path / expected, [OK.encode() + b"\n"]) as server:
        ended = run("ping", *arguments, variables=absolute)
    assert (ended.status, ended.out, ended.err) == (HIT, "pong\n", "")
    assert server.requests == [b'{"op":"ping"}\n']


def test_without_any_name_the_systems_socket_is_meant() -> None:
    ended = run("ping")
    if not Path("/run/pannier/pannier.sock").exists():
        assert ended.status == ERROR
        assert "/run/pannier/pannier.sock: no such file: is pannier running?" in ended.err
    elif ended.status == HIT:
        # A daemon of the system runs here.
        assert ended.out == "pong\n"
    else:
        assert "/run/pannier/pannier.sock: " in ended.err


# What can't be reached.


def test_a_missing_socket(tmp_path: Path) -> None:
    ended = run("ping", "--socket", str(tmp_path / "none"))
    assert (ended.status, ended.out) == (ERROR, "")
    assert ended.err.startswith(f"pannier: cannot reach {tmp_path / 'none'}: no such file: is pannier running?")


def test_a_stale_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(tmp_path / "s"))
    ended = run("ping", "--socket", str(tmp_path / "s"))
    assert ended.status == ERROR
    assert "/s: refused: nobody listens there, a stale socket" in ended.err


def test_a_file_that_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    ended = run("ping", "--socket", str(tmp_path / "s"))
    assert (ended.status, ended.err) == (ERROR, f"pannier: cannot reach {tmp_path / 's'}: it is not a socket\n")


def test_a_socket_of_another_kind(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(tmp_path / "s"))
        ended = run("ping", "--socket", str(tmp_path / "s"))
    assert ended.status == ERROR
    assert "it is a socket of another kind" in ended.err


def test_a_path_that_is_too_long() -> None:
    ended = run("ping", "--socket", "/" + "x" * 107)
    assert ended.status == ERROR
    assert ended.err.startswith("pannier: the socket's path has 108 bytes, and the system takes 1 to 107: /xxx")


def test_the_longest_path_does(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path = path.with_name("s" * (107 - len(str(tmp_path)) - 1))
    with FakeServer(path, [OK.encode() + b"\n"]):
        assert run("ping", "--socket", str(path)).out == "pong\n"


def test_a_forbidden_socket(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", []) as server:
        server.path.chmod(0o100)
        ended = run("ping", "--socket", str(server.path), wrapper=LIKE_ANYBODY)
    assert ended.status == ERROR
    assert "permission denied: the socket has mode 0100, owner " in ended.err


# A server that says little.


def test_a_server_that_refuses_at_once(tmp_path: Path) -> None:
    refusal = b'{"ok":false,"error":{"code":"too_many_connections","message":"full"}}\n'
    # So large a request that writing it fails while the refusal waits to be read.
    value = json.dumps("x" * 4_000_000)
    with FakeServer(tmp_path / "s", [], greeting=refusal) as server:
        ended = run("set", "quiz", "k", "-", "--socket", str(server.path), stdin=value.encode())
    assert (ended.status, ended.out, ended.err) == (ERROR, "", "pannier: too_many_connections: full\n")


def test_a_server_that_closes_without_an_answer(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", [b""], closes=True) as server:
        ended = run("ping", "--socket", str(server.path))
    expected = f"pannier: {server.path} closed the connection without an answer\n"
    assert (ended.status, ended.out, ended.err) == (ERROR, "", expected)


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", [b'{"ok":tr']) as server:
        ended = run("ping", "--socket", str(server.path))
    expected = f"pannier: no answer from {server.path} within 5 s\n"
    assert (ended.status, ended.out, ended.err) == (ERROR, "", expected)
