"""The command line against a server of canned answers: the exact lines sent, what is printed, and the exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import schemas
from command import ERROR, HIT, Argument, run
from command_cases import ONE_SHOTS, SET, STORED, Case
from fake_server import FakeServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("case", ONE_SHOTS.values(), ids=ONE_SHOTS.keys())
def test_one_shot(tmp_path: Path, case: Case) -> None:
    with FakeServer(tmp_path / "s", [case.answer.encode() + b"\n"]) as server:
        # Options may stand behind the command, where `--` can't hide them.
        ended = run(case.command[0], "--socket", str(server.path), *case.command[1:], stdin=case.stdin)
    assert server.requests == [case.request.encode() + b"\n"]
    assert (ended.status, ended.out, ended.err) == (case.status, case.out, case.err)


REFUSED = {
    "not JSON": (["set", "quiz", "k", "hello"], "VALUE is not JSON; did you mean '\"hello\"'?"),
    "not JSON, with quotes": (
        ["set", "quiz", "k", 'it\'s "x"\\\n'],
        "VALUE is not JSON; did you mean '\"it'\\''s \\\"x\\\"\\\\\\n\"'?",
    ),
    "nothing": (["set", "quiz", "k", ""], "VALUE is not JSON; did you mean '\"\"'?"),
    "long and not JSON": (["set", "quiz", "k", "x" * 1000], "VALUE is not JSON"),
    "nothing on input": (["set", "quiz", "k", "-"], "standard input is not one JSON value"),
    "a duration without unit": (
        ["touch", "quiz", "k", "--ttl", "1h30"],
        "is not a duration; write 10m, 1h30m, 250ms or a number of seconds",
    ),
    "a negative ttl": (["touch", "quiz", "k", "--ttl", "-5"], "The value '-5' is invalid for '--ttl <duration>'"),
    "a negative duration": (
        ["get", "quiz", "k", "--max-age", "-5"],
        "The value '-5' is invalid for '--max-age <duration>': \"-5\" is out of range; it must be 0s to 3650d\n",
    ),
    "no key at all": (
        ["keys", "quiz", "--limit", "-5"],
        "The value '-5' is invalid for '--limit <n>': write how many keys to list at most, a whole number from 1 on\n",
    ),
    "a negative memory": (["serve", "--memory", "-5"], '--memory: "-5" is out of range; it must be 1MiB to 32GiB\n'),
    "a file that looks like a negative number": (["check", "-5"], "pannier: -5: can't be read: No such file"),
    "a socket that looks like a negative number": (["ping", "--socket", "-5"], "cannot reach -5: no such file"),
    "a very long duration": (["get", "quiz", "k", "--max-age", "999999999999999999d"], "out of range"),
    "no duration": (["get", "quiz", "k", "--max-age", "none"], '"none" is not a duration'),
    "an empty tag": (["clear", "quiz", "--tags", "a,,b"], "there is a tag"),
    "two conditions": (["set", "quiz", "k", "1", "--if-absent", "--if-present"], "--if-absent"),
    "a condition and a version": (["set", "quiz", "k", "1", "--if-absent", "--if-version", "1"], "exclude each other"),
    "a version that is none": (["set", "quiz", "k", "1", "--if-version", "x"], "--if-version takes"),
    "a share that is none": (["watch", "--sample", "nan"], "--sample takes a share"),
    "a change without value": (["policy", "quiz", "ttl"], "a change is FIELD=VALUE"),
    "a change that is not YAML": (["policy", "quiz", "rules=[{match: a"], "rules: not YAML: did not find"),
    "a change with a name twice": (["policy", "quiz", "rules=[{ttl: 1, ttl: 2}]"], 'rules: "ttl" stands twice'),
    "a change with an alias": (["policy", "quiz", "rules=[&a {}]"], "rules: anchors and aliases"),
    "a change twice": (["policy", "quiz", "ttl=1", "ttl=2"], "ttl is given twice"),
    "a check of no rounds": (["coherence-check", "--rounds", "0"], "write how often to try, a whole number from 1 on"),
    "no key": (["get", "quiz"], "Missing expected argument '<key>'"),
    "an unknown option": (["ping", "--jsn"], "Unknown option '--jsn'. Did you mean '--json'?"),
    "an unknown command": (["gett", "quiz", "k"], "gett"),
    "a key that is not UTF-8": (["get", "quiz", b"a\xff"], "argument 3 is not UTF-8 text: a"),
}


@pytest.mark.parametrize(("command", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_usage(tmp_path: Path, command: list[Argument], message: str) -> None:
    with FakeServer(tmp_path / "s", []) as server:
        ended = run(*command, variables={"PANNIER_SOCKET": str(server.path)})
    assert server.requests == []
    assert (ended.status, ended.out) == (ERROR, "")
    assert ended.err.startswith("pannier: ")
    assert message in ended.err


NOT_JSON = [
    *("tru", "nulll", "+1", "01", "1.", ".5", "1e", "-", "NaN", "'a'", '"a', '"\\x"', '"\\u12g4"', '"\t"'),
    *("[1,]", "[,1]", "[1 2]", "{", "[", "]", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{,}", "[}", '{"a":1]', "1 2"),
]
JSON = [
    *("0", "-0", "-0.5E+7", "1e-9", '""', '"\\ud800"', '"\x7f"', "[]", "{}", " [ ] ", '{"":{}}'),
    *("[[],{},[[]]]", '{"a":[{"b":[1,{"c":null}]},true],"a":false}', "[" * 1000 + "]" * 1000),
]


@pytest.mark.parametrize("value", NOT_JSON)
def test_what_is_not_json_is_not_sent(tmp_path: Path, value: str) -> None:
    with FakeServer(tmp_path / "s", []) as server:
        # From input, where an argument's dash would mean something.
        ended = run("set", "quiz", "k", "-", "--socket", str(server.path), stdin=value.encode())
    assert server.requests == []
    assert (ended.status, ended.err) == (ERROR, "pannier: standard input is not one JSON value\n")


@pytest.mark.parametrize("value", JSON)
def test_json_is_sent_as_it_is(tmp_path: Path, value: str) -> None:
    with FakeServer(tmp_path / "s", [STORED.encode() + b"\n"]) as server:
        ended = run("set", "quiz", "k", value, "--socket", str(server.path))
    assert (ended.status, ended.err) == (HIT, "")
    assert server.requests == [SET.encode() + b',"value":' + value.strip().encode() + b"}\n"]


def test_input_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", []) as server:
        ended = run("set", "quiz", "k", "-", "--socket", str(server.path), stdin=b'"\xff"')
    assert server.requests == []
    assert (ended.status, ended.err) == (ERROR, "pannier: VALUE is not UTF-8 text\n")


def test_large_values_pass_both_ways(tmp_path: Path) -> None:
    value = b'"' + b"x" * 4_000_000 + b'"'
    with FakeServer(tmp_path / "s", [STORED.encode() + b"\n"]) as server:
        assert run("set", "quiz", "k", "-", "--socket", str(server.path), stdin=value).status == HIT
    # Compared outside the assertion, which would spend minutes on showing where millions of bytes differ.
    is_same = server.requests == [SET.encode() + b',"value":' + value + b"}\n"]
    assert is_same
    with FakeServer(tmp_path / "t", [b'{"ok":true,"hit":true,"value":' + value + b"}\n"]) as server:
        is_same = run("get", "quiz", "k", "--socket", str(server.path)).out.encode() == value + b"\n"
    assert is_same


# What it says of itself.

COMMANDS = [
    *("serve", "check", "ping", "get", "set", "delete", "touch", "exists", "keys", "clear", "explain", "policy"),
    *("stats", "watch", "coherence-check"),
]


def test_version() -> None:
    ended = run("--version")
    assert (ended.status, ended.out, ended.err) == (HIT, "pannier 0.1.0\n", "")


def test_help_names_every_command() -> None:
    ended = run("--help")
    assert (ended.status, ended.err) == (HIT, "")
    assert [command for command in COMMANDS if f"\n  {command} " not in ended.out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command: str) -> None:
    ended = run(command, "--help")
    assert (ended.status, ended.err) == (HIT, "")
    overview, usage = ended.out.split("USAGE:", maxsplit=1)
    assert f"  pannier {command} " in overview.replace("\n", " \n")
    assert usage.strip().startswith(f"pannier {command} ")


def test_help_names_every_event() -> None:
    schema = json.loads((schemas.FOLDER / "watch.request.json").read_text(encoding="utf-8"))
    events = ", ".join(schema["properties"]["events"]["items"]["enum"])
    assert f"Events: {events}." in " ".join(run("watch", "--help").out.split())
