"""The command line against a server of canned answers: the exact lines it sends, what it prints, and its exit status.

The last tests need the daemon itself, and run wherever the fixture `start_daemon` is.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import pytest

from fake_server import FakeServer

BINARY = Path(os.environ.get("PANNIER_BIN", Path(__file__).parents[2] / ".build" / "debug" / "pannier"))

# Long enough for a debug build on a busy machine, and for the five seconds that the command itself waits.
RUN_SECONDS = 30.0

HIT, MISS, ERROR = 0, 1, 2


@dataclass
class Run:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Argument = str | bytes


def start(
    *arguments: Argument, variables: dict[str, str] | None = None, streams: int | None = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Starts the command with none of the variables by which a socket is found, but those given."""
    hidden = ("PANNIER_", "XDG_RUNTIME_DIR")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return subprocess.Popen(
        [os.fspath(BINARY), *arguments],
        stdin=subprocess.PIPE,
        stdout=streams,
        stderr=subprocess.PIPE,
        env=environment | (variables or {}),
    )


def run(*arguments: Argument, stdin: bytes = b"", variables: dict[str, str] | None = None) -> Run:
    with start(*arguments, variables=variables) as process:
        try:
            out, err = process.communicate(stdin, RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Run(process.returncode, out.decode(), err.decode())


@dataclass
class Case:
    """One command, the request it must send, the canned answer, and what comes of it."""

    command: list[str]
    request: str
    answer: str
    out: str
    status: int = 0
    err: str = ""
    stdin: bytes = b""


OK = '{"ok":true}'
STORED = '{"ok":true,"stored":true}'
POLICY = (
    '{"ok":true,"policy":{"ttl":300,"max_ttl":null,"rules":[{"match":"a*","ttl":5.5,"stale":5400}],"jitter":0.1,'
    '"negative_ttl":0.25,"stale":0,"max_bytes":65536,"max_entries":null,"max_value_bytes":1048577,"eviction":"lru",'
    '"mode":"on"}}'
)
POLICY_LINES = """\
ttl: 5m
max_ttl: none
rules:
  - {match: 'a*', ttl: 5s500ms, stale: 1h30m}
jitter: 0.1
negative_ttl: 250ms
stale: 0
max_bytes: 64KiB
max_entries: none
max_value_bytes: 1048577
eviction: lru
mode: on
"""
QUIZ = (
    '{"hits":10,"stale_hits":1,"misses":2,"misses_by":{"never_stored":1,"expired":0,"evicted":0,"deleted":1,"cleared":0,'
    '"unknown":0},"sets":4,"deletes":1,"clears":1,"cleared":3,"evictions":{"bytes":2,"entries":0,"memory":1},'
    '"expirations":6,"entries":12,"bytes":1258291,"max_bytes":67108864,"max_entries":null,"evicted_age":42.5}'
)
IDLE = '{"hits":0,"misses":0,"sets":0,"entries":0,"bytes":0}'
STATS = (
    '{"ok":true,"uptime":3723.4,"connections":3,"resident":14680064,"memory":{"used":1258291,"limit":268435456},'
    '"requests":{"hello":0,"get":12,"set":4},"errors":{"bad_json":0,"bad_request":1},'
    '"loop_delay":{"p50":0.000085,"p99":0.0012,"max":1.5},"namespaces":{"quiz":' + QUIZ + ',"idle":' + IDLE + "}}"
)
STATS_LINES = """\
up           1h2m3s
connections  3
memory       1.2 MiB of 256.0 MiB (0.5%), resident 14.0 MiB
loop delay   p50 85us, p99 1.2ms, max 1.5s
requests     12 get, 4 set
errors       1 bad_request

namespace  hit rate  hits  stale  misses  sets  deletes  cleared  expired  evicted  entries     size
idle              -     0      0       0     0        0        0        0        0        0      0 B
quiz          83.3%    10      1       2     4        1        3        6        3       12  1.2 MiB
"""
QUIZ_LINES = """\
hit rate     83.3% of 12 keys asked for
hits         10, 1 of them stale
misses       2: 1 deleted, 1 never_stored
sets         4
deletes      1
clears       1, 3 entries cleared
expirations  6
evictions    3: 2 bytes, 1 memory
entries      12
size         1.2 MiB of 64MiB
evicted age  42s
"""
META = '"ttl":299.25,"age":1.5,"tier":"memory","version":7,"tags":["a","b\\n"],"size":3,"value":'
META_LINES = "ttl: 4m59s\nage: 1s500ms\ntier: memory\nversion: 7\ntags: a, b\\n\nsize: 3 bytes\n"
# What decoding and encoding again would change: order, doubled names, spellings of numbers, escapes.
ODD = '{"b":1.00,"a":1e400,"b":123456789012345678901234567890,"c":"\\u00e9\\/é"}'
GET = '{"op":"get","ns":"quiz","key":"k"'
SET = '{"op":"set","ns":"quiz","key":"k"'

ONE_SHOTS = {
    "ping": Case(["ping"], '{"op":"ping"}', OK, "pong\n"),
    "get, hit": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":true,"value":' + ODD + "}", ODD + "\n"),
    "get, null": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":true,"value":null}', "null\n"),
    "get, miss": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":false}', "", MISS, "miss\n"),
    "get, all options": Case(
        ["get", "quiz", "k", "--stale", "--max-age", "1m30s", "--meta"],
        GET + ',"stale":true,"max_age":90,"meta":true}',
        '{"ok":true,"hit":true,"stale":true,' + META + '"x"}',
        '"x"\n',
        err="stale: yes\n" + META_LINES,
    ),
    "get, a value that looks like an answer": Case(
        ["get", "quiz", "k"],
        GET + "}",
        '{"ok":true,"hit":true,"value":{"ok":false,"hit":false,"value":1}}',
        '{"ok":false,"hit":false,"value":1}\n',
    ),
    "get, json": Case(
        ["get", "quiz", "k", "--json"], GET + "}", '{"ok":true,"hit":false}', '{"ok":true,"hit":false}\n', MISS
    ),
    "get, a key of all kinds": Case(
        ["get", "quiz", 'a"\\\n\t\x01\x1f\x7fé😀'],
        '{"op":"get","ns":"quiz","key":"a\\"\\\\\\n\\t\\u0001\\u001f\x7fé😀"}',
        '{"ok":true,"hit":false}',
        "",
        MISS,
        "miss\n",
    ),
    "get, a key with a dash": Case(
        ["get", "quiz", "--", "--stale"],
        '{"op":"get","ns":"quiz","key":"--stale"}',
        '{"ok":true,"hit":true,"value":1}',
        "1\n",
    ),
    "get, a key that is a negative number": Case(
        ["get", "quiz", "-1"], '{"op":"get","ns":"quiz","key":"-1"}', '{"ok":true,"hit":true,"value":1}', "1\n"
    ),
    "get, an error": Case(
        ["get", "quiz", "k"],
        GET + "}",
        '{"ok":false,"error":{"code":"bad_request","message":"no\\nsuch thing"}}',
        "",
        ERROR,
        "pannier: bad_request: no\\nsuch thing\n",
    ),
    "get, an error, json": Case(
        ["get", "quiz", "k", "--json"],
        GET + "}",
        '{"ok":false,"error":{"code":"internal","message":"x"}}',
        '{"ok":false,"error":{"code":"internal","message":"x"}}\n',
        ERROR,
        "pannier: internal: x\n",
    ),
    "set": Case(["set", "quiz", "k", '{"a": 1}'], SET + ',"value":{"a": 1}}', STORED, "stored\n"),
    "set, all options": Case(
        ["set", "quiz", "k", "[1]", "--ttl", "1h0.5s", "--stale", "250ms", "--tags", "a,b c", "--if-version", "7"],
        SET + ',"ttl":3600.5,"stale":0.25,"tags":["a","b c"],"if":{"version":7},"value":[1]}',
        STORED,
        "stored\n",
    ),
    "set, ttl none, absent": Case(
        ["set", "quiz", "k", "-1.5e3", "--ttl", "none", "--if-absent"],
        SET + ',"ttl":null,"if":"absent","value":-1.5e3}',
        '{"ok":true,"stored":false,"reason":"exists"}',
        "not stored: there is a value already\n",
        MISS,
    ),
    "set, seconds, present": Case(
        ["set", "quiz", "k", "1", "--ttl", "0.1009", "--if-present"],
        SET + ',"ttl":0.1,"if":"present","value":1}',
        '{"ok":true,"stored":false,"reason":"missing"}',
        "not stored: there is no value\n",
        MISS,
    ),
    "set, disabled": Case(
        ["set", "quiz", "k", "1"],
        SET + ',"value":1}',
        '{"ok":true,"stored":false,"reason":"disabled"}',
        "not stored: the namespace's mode keeps sets from being stored\n",
        MISS,
    ),
    "set, from input of several lines": Case(
        ["set", "quiz", "k", "-"],
        SET + ',"value":{  "a":\t"\\n", "b": [  ]}}',
        STORED,
        "stored\n",
        stdin=b'\n{\r\n"a":\t"\\n",\n"b": [\n\n]}\n\n',
    ),
    "delete": Case(
        ["delete", "quiz", "k"], '{"op":"delete","ns":"quiz","key":"k"}', '{"ok":true,"deleted":1}', "deleted 1\n"
    ),
    "delete, several, softly": Case(
        ["delete", "quiz", "k", "l", "--soft"],
        '{"op":"delete","ns":"quiz","keys":["k","l"],"soft":true}',
        '{"ok":true,"deleted":0}',
        "deleted 0\n",
        MISS,
    ),
    "touch": Case(
        ["touch", "quiz", "k", "--ttl", "30m"],
        '{"op":"touch","ns":"quiz","key":"k","ttl":1800}',
        '{"ok":true,"touched":true}',
        "touched\n",
    ),
    "touch, nothing there": Case(
        ["touch", "quiz", "k"],
        '{"op":"touch","ns":"quiz","key":"k"}',
        '{"ok":true,"touched":false}',
        "not touched: there is no fresh value\n",
        MISS,
    ),
    "exists": Case(
        ["exists", "quiz", "k"], '{"op":"exists","ns":"quiz","key":"k"}', '{"ok":true,"exists":true}', "true\n"
    ),
    "exists not": Case(
        ["exists", "quiz", "k"], '{"op":"exists","ns":"quiz","key":"k"}', '{"ok":true,"exists":false}', "false\n", MISS
    ),
    "keys": Case(
        ["keys", "quiz", "--match", "a*"],
        '{"op":"keys","ns":"quiz","match":"a*"}',
        '{"ok":true,"keys":["a","a\\u0000\\u001b[2J\\n\\\\\\u0085","aé"]}',
        "a\na\\u{0}\\u{1b}[2J\\n\\\\\\u{85}\naé\n",
    ),
    "keys, none": Case(["keys", "quiz"], '{"op":"keys","ns":"quiz"}', '{"ok":true,"keys":[]}', ""),
    "clear": Case(
        ["clear", "*", "--match", "a*", "--soft"],
        '{"op":"clear","ns":"*","match":"a*","soft":true}',
        '{"ok":true,"cleared":12}',
        "cleared 12 entries\n",
    ),
    "clear, dry": Case(
        ["clear", "quiz", "--tags", "a,b", "--dry-run"],
        '{"op":"clear","ns":"quiz","tags":["a","b"],"dry_run":true}',
        '{"ok":true,"cleared":1,"sample":["k\\n"]}',
        "would clear 1 entry, for example: k\\n\n",
    ),
    "clear, dry, nothing": Case(
        ["clear", "quiz", "--dry-run"],
        '{"op":"clear","ns":"quiz","dry_run":true}',
        '{"ok":true,"cleared":0,"sample":[]}',
        "would clear 0 entries\n",
    ),
    "explain, fresh": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"fresh","tier":"memory","age":12.345,"ttl":287.655,"tags":["a","b"],"version":7,"size":12,'
        '"filled_by":{"pid":33,"uid":1000}}',
        "fresh: stored 12s ago by process 33 of user 1000, fresh for another 4m47s. "
        "Version 7, 12 bytes in memory, tags a, b.\n",
    ),
    "explain, without end": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"fresh","tier":"memory","age":0,"ttl":null,"tags":[],"version":7,"size":1,'
        '"filled_by":{"pid":33,"uid":0}}',
        "fresh: stored 0 ago by process 33 of user 0, does not expire. Version 7, 1 byte in memory.\n",
    ),
    "explain, absent": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"absent","reason":"cleared","by":{"pid":33,"age":3,"match":"a*"}}',
        "absent: it was cleared 3s ago by process 33, match a*.\n",
        MISS,
    ),
    "explain, unknown": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"absent","reason":"unknown"}',
        "absent: why is no longer known.\n",
        MISS,
    ),
    "policy": Case(["policy", "quiz"], '{"op":"policy","ns":"quiz"}', POLICY, POLICY_LINES),
    "policy, changed": Case(
        ["policy", "quiz", "ttl=10m", "stale=5", "max_bytes=null", 'rules=[{"match":"a*"}]', "mode=on", "jitter=a=b"],
        '{"op":"policy","ns":"quiz","set":{"ttl":"10m","stale":5,"max_bytes":null,"rules":[{"match":"a*"}],'
        '"mode":"on","jitter":"a=b"}}',
        POLICY,
        POLICY_LINES,
    ),
    "stats": Case(["stats"], '{"op":"stats"}', STATS, STATS_LINES),
    "stats of one": Case(["stats", "quiz"], '{"op":"stats","ns":"quiz"}', STATS, QUIZ_LINES),
    "stats of none": Case(
        ["stats", "no"], '{"op":"stats","ns":"no"}', '{"ok":true,"namespaces":{}}', "no namespace no yet\n"
    ),
    "an answer that makes no sense": Case(
        ["exists", "quiz", "k"],
        '{"op":"exists","ns":"quiz","key":"k"}',
        '{"ok":true}',
        "",
        ERROR,
        'pannier: the answer has no proper "exists": {"ok":true}\n',
    ),
    "no pannier at all": Case(
        ["ping"],
        '{"op":"ping"}',
        "HTTP/1.1 400 Bad Request",
        "",
        ERROR,
        "pannier: what answers there doesn't speak pannier's protocol: HTTP/1.1 400 Bad Request\n",
    ),
}


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
    "a duration without unit": (["touch", "quiz", "k", "--ttl", "1h30"], "a duration is 250ms, 10m, 1h30m, or a number"),
    "a negative duration": (["touch", "quiz", "k", "--ttl", "-5"], "The value '-5' is invalid for '--ttl <duration>'"),
    "a very long duration": (["get", "quiz", "k", "--max-age", "999999999999999999d"], "a duration is"),
    "no duration": (["get", "quiz", "k", "--max-age", "none"], "a duration is"),
    "an empty tag": (["clear", "quiz", "--tags", "a,,b"], "there is a tag"),
    "two conditions": (["set", "quiz", "k", "1", "--if-absent", "--if-present"], "--if-absent"),
    "a condition and a version": (["set", "quiz", "k", "1", "--if-absent", "--if-version", "1"], "exclude each other"),
    "a version that is none": (["set", "quiz", "k", "1", "--if-version", "x"], "--if-version takes"),
    "a share that is none": (["watch", "--sample", "nan"], "--sample takes a share"),
    "a change without value": (["policy", "quiz", "ttl"], "a change is FIELD=VALUE"),
    "a change twice": (["policy", "quiz", "ttl=1", "ttl=2"], "ttl is given twice"),
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
    *("[[],{},[[]]]", '{"a":[{"b":[1,{"c":null}]},true],"a":false}', "[" * 2000 + "]" * 2000),
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


KEYS = '{"op":"keys","ns":"quiz"'


def page(keys: list[str], following: str | None = None) -> bytes:
    answer: dict[str, object] = {"ok": True, "keys": keys}
    if following is not None:
        answer["next"] = following
    return json.dumps(answer, separators=(",", ":")).encode() + b"\n"


def test_keys_all_follows_to_the_end(tmp_path: Path) -> None:
    script = [page([f"a{n}" for n in range(100)], "n1"), page([], 'n"2'), page(["z"])]
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--all", "--socket", str(server.path))
    assert server.requests == [
        KEYS.encode() + rest for rest in (b"}\n", b',"after":"n1"}\n', b',"after":"n\\"2"}\n')
    ]
    assert ended.out.split("\n") == [*(f"a{n}" for n in range(100)), "z", ""]
    assert (ended.status, ended.err) == (HIT, "")


def test_keys_stop_at_the_limit(tmp_path: Path) -> None:
    script = [page([], "n1"), page(["a", "b"], "n2"), page(["c"], "n3")]
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--limit", "3", "--socket", str(server.path))
    assert server.requests == [
        KEYS.encode() + rest
        for rest in (b',"limit":3}\n', b',"limit":3,"after":"n1"}\n', b',"limit":1,"after":"n2"}\n')
    ]
    assert (ended.status, ended.out) == (HIT, "a\nb\nc\n")
    assert ended.err == "there are more: --limit or --all lists them\n"


def test_keys_json_is_a_line_a_page(tmp_path: Path) -> None:
    script = [page(["a"], "n1"), page(["b"])]
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--json", "--socket", str(server.path))
    assert ended.out.encode() == b"".join(script)


def test_keys_error_on_a_later_page(tmp_path: Path) -> None:
    script = [page(["a"], "n1"), b'{"ok":false,"error":{"code":"overloaded","message":"later"}}\n']
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--socket", str(server.path))
    assert (ended.status, ended.out, ended.err) == (ERROR, "a\n", "pannier: overloaded: later\n")


WATCHING = b'{"ok":true,"watching":true}\n'
EVENTS = {
    '{"event":"set","ns":"quiz","key":"k\\n","pid":33,"ttl":300,"size":12}': (
        "set    quiz k\\n  (ttl 5m, 12 bytes, pid 33)"
    ),
    '{"event":"set","ns":"quiz","key":"k","pid":33,"ttl":null,"size":1}': "set    quiz k  (ttl none, 1 byte, pid 33)",
    '{"event":"delete","ns":"quiz","key":"k","pid":33,"soft":true}': "delete quiz k  (soft, pid 33)",
    '{"event":"clear","ns":"quiz","pid":33,"match":"a*"}': "clear  quiz  (match a*, pid 33)",
    '{"event":"clear","ns":"quiz","pid":33,"soft":true,"tags":["a","b"]}': "clear  quiz  (soft, tags a b, pid 33)",
    '{"event":"expire","ns":"quiz","key":"k"}': "expire quiz k",
    '{"event":"evict","ns":"quiz","key":"k","reason":"bytes"}': "evict  quiz k  (over bytes)",
    '{"event":"policy","ns":"quiz","pid":33}': "policy quiz  (pid 33)",
    '{"event":"dropped","count":7}': "(7 events lost: this reader is too slow)",
}


def test_watch_shows_a_line_an_event(tmp_path: Path) -> None:
    script = [WATCHING + "".join(f"{event}\n" for event in EVENTS).encode()]
    command = ["watch", "quiz", "--events", "set,clear", "--sample", "0.5"]
    with FakeServer(tmp_path / "s", script, closes=True) as server:
        ended = run(*command, "--socket", str(server.path))
    assert server.requests == [b'{"op":"watch","ns":"quiz","events":["set","clear"],"sample":0.5}\n']
    assert ended.out.splitlines() == list(EVENTS.values())
    assert (ended.status, ended.err) == (
        ERROR,
        "watching; Ctrl-C ends it\npannier: the server closed the connection\n",
    )


def test_watch_json_is_what_came(tmp_path: Path) -> None:
    script = [WATCHING + "".join(f"{event}\n" for event in EVENTS).encode()]
    with FakeServer(tmp_path / "s", script, closes=True) as server:
        ended = run("watch", "--json", "--socket", str(server.path))
    assert server.requests == [b'{"op":"watch"}\n']
    assert ended.out.encode() == script[0]


def test_watch_ends_with_the_servers_error(tmp_path: Path) -> None:
    farewell = b'{"ok":false,"error":{"code":"shutting_down","message":"bye"}}\n'
    with FakeServer(tmp_path / "s", [WATCHING + farewell]) as server:
        ended = run("watch", "--socket", str(server.path))
    assert (ended.status, ended.out, ended.err.splitlines()[-1]) == (ERROR, "", "pannier: shutting_down: bye")


def test_watch_ends_quietly_when_nobody_reads_on(tmp_path: Path) -> None:
    # No event comes after the first: the end must be seen without trying to write.
    script = [WATCHING + b'{"event":"expire","ns":"quiz","key":"k"}\n']
    with FakeServer(tmp_path / "s", script) as server, start("watch", "--socket", str(server.path)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"expire quiz k\n"
        process.stdout.close()
        assert process.wait(RUN_SECONDS) == HIT
        assert process.stderr.read() == b"watching; Ctrl-C ends it\n"


def test_watch_ends_quietly_at_an_interrupt(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", [WATCHING]) as server, start("watch", "--socket", str(server.path)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == b"watching; Ctrl-C ends it\n"
        process.send_signal(signal.SIGINT)
        # Ended by the signal itself, so that a shell's loop around it ends too.
        assert process.wait(RUN_SECONDS) == -signal.SIGINT
        assert process.stderr.read() == b""


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with FakeServer(tmp_path / "s", [page(["k" * 100])]) as server:
        process = start("keys", "quiz", "--socket", str(server.path), streams=writing)
        os.close(writing)
        _, err = process.communicate(b"", RUN_SECONDS)
    assert (process.returncode, err) == (HIT, b"")


def test_a_result_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with FakeServer(tmp_path / "s", [page(["k"])]) as server:
        process = start("keys", "quiz", "--socket", str(server.path), streams=full)
        os.close(full)
        _, err = process.communicate(b"", RUN_SECONDS)
    assert (process.returncode, err) == (ERROR, b"pannier: cannot write the result: No space left on device\n")


# Where the socket is.


@pytest.mark.parametrize(
    ("variables", "flag", "expected"),
    [
        ({"PANNIER_SOCKET": "b", "XDG_RUNTIME_DIR": "d"}, "a", "a"),
        ({"PANNIER_SOCKET": "b", "XDG_RUNTIME_DIR": "d"}, None, "b"),
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
    if Path("/run/pannier/pannier.sock").exists():
        pytest.skip("a daemon of the system runs here")
    ended = run("ping")
    assert ended.status == ERROR
    assert "/run/pannier/pannier.sock: no such file: is pannier running?" in ended.err


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


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_socket(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "s", []) as server:
        server.path.chmod(0o100)
        ended = run("ping", "--socket", str(server.path))
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


# What it says of itself.

COMMANDS = [
    *("serve", "check", "ping", "get", "set", "delete", "touch", "exists", "keys", "clear", "explain", "policy"),
    *("stats", "watch"),
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


# Against the daemon itself.


class RunningDaemon(Protocol):
    """What these tests use of the daemon that the shared fixture starts."""

    @property
    def socket(self) -> Path: ...


class Pannier:
    """The command line, for one daemon."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, *arguments: Argument, stdin: bytes = b"") -> Run:
        return run(*arguments, stdin=stdin, variables={"PANNIER_SOCKET": str(self._path)})

    def watch(self, *arguments: str) -> subprocess.Popen[bytes]:
        return start("watch", *arguments, variables={"PANNIER_SOCKET": str(self._path)})


class StartDaemon(Protocol):
    def __call__(self, configuration: str) -> RunningDaemon: ...


@pytest.fixture
def pannier(request: pytest.FixtureRequest) -> Pannier:
    try:
        start_daemon = cast("StartDaemon", request.getfixturevalue("start_daemon"))
    except pytest.FixtureLookupError:
        pytest.skip("no fixture starts the daemon here")
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
    assert pannier("clear", "quiz", "--match", "[bc]", "--dry-run").out.startswith("would clear 2 entries, for example: ")
    assert pannier("clear", "quiz", "--match", "[bc]") == Run(HIT, "cleared 2 entries\n", "")
    assert pannier("keys", "quiz").out == 'a"\\\\\\n\\u{1}é\n'
    assert "\nttl: 10m\n" in "\n" + pannier("policy", "quiz", "ttl=10m", "max_bytes=64MiB").out
    assert "\nmax_bytes: 64MiB\n" in pannier("policy", "quiz").out
    assert pannier("policy", "quiz", "tll=1").status == ERROR
    assert pannier("stats", "quiz").out.startswith("hit rate ")
    assert "\nquiz " in pannier("stats").out


def test_daemon_is_watched(pannier: Pannier) -> None:
    with pannier.watch("quiz", "--json") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == WATCHING
        assert pannier("set", "quiz", "k", "1", "--ttl", "none").status == HIT
        event = json.loads(watching.stdout.readline())
        assert (event["event"], event["ns"], event["key"], event["ttl"]) == ("set", "quiz", "k", None)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(RUN_SECONDS) == -signal.SIGINT
