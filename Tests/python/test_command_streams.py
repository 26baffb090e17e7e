"""Commands of many lines, `keys` and `watch`: pages, events, and how they end."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from command import ERROR, HIT, RUN_SECONDS, run, start
from fake_server import FakeServer

if TYPE_CHECKING:
    from pathlib import Path

KEYS = '{"op":"keys","ns":"quiz"'
HELLO = b'{"op":"hello"}\n'
HELLO_ANSWER = b'{"ok":true,"limits":{"items":1000}}\n'


def page(keys: list[str], following: str | None = None) -> bytes:
    answer: dict[str, object] = {"ok": True, "keys": keys}
    if following is not None:
        answer["next"] = following
    return json.dumps(answer, separators=(",", ":")).encode() + b"\n"


def test_keys_all_follows_to_the_end(tmp_path: Path) -> None:
    script = [page([f"a{n}" for n in range(100)], "n1"), page([], 'n"2'), page(["z"])]
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--all", "--socket", str(server.path))
    assert server.requests == [KEYS.encode() + rest for rest in (b"}\n", b',"after":"n1"}\n', b',"after":"n\\"2"}\n')]
    assert ended.out.split("\n") == [*(f"a{n}" for n in range(100)), "z", ""]
    assert (ended.status, ended.err) == (HIT, "")


def test_keys_stop_at_the_limit(tmp_path: Path) -> None:
    script = [HELLO_ANSWER, page([], "n1"), page(["a", "b"], "n2"), page(["c"], "n3")]
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--limit", "3", "--socket", str(server.path))
    assert server.requests[0] == HELLO
    assert server.requests[1:] == [
        KEYS.encode() + rest
        for rest in (b',"limit":3}\n', b',"limit":3,"after":"n1"}\n', b',"limit":1,"after":"n2"}\n')
    ]
    assert (ended.status, ended.out) == (HIT, "a\nb\nc\n")
    assert ended.err == "there are more: --limit or --all lists them\n"


def test_keys_json_is_a_line_a_page(tmp_path: Path) -> None:
    first, second = page(["a"], "n1"), page(["b"])
    with FakeServer(tmp_path / "s", [first, HELLO_ANSWER, second]) as server:
        ended = run("keys", "quiz", "--json", "--socket", str(server.path))
    assert ended.out.encode() == first + second


def test_keys_error_on_a_later_page(tmp_path: Path) -> None:
    script = [page(["a"], "n1"), HELLO_ANSWER, b'{"ok":false,"error":{"code":"overloaded","message":"later"}}\n']
    with FakeServer(tmp_path / "s", script) as server:
        ended = run("keys", "quiz", "--socket", str(server.path))
    assert (ended.status, ended.out, ended.err) == (ERROR, "a\n", "pannier: overloaded: later\n")


WATCHING = b'{"ok":true,"watching":true}\n'
EVENTS = {
    '{"event":"set","ns":"quiz","key":"k\\n","pid":33,"ttl":300,"size":12}': (
        "set     quiz k\\n  (ttl 5m, 12 bytes, pid 33)"
    ),
    '{"event":"set","ns":"quiz","key":"k","pid":33,"ttl":null,"size":1}': "set     quiz k  (ttl none, 1 byte, pid 33)",
    '{"event":"delete","ns":"quiz","key":"k","pid":33,"soft":true}': "delete  quiz k  (soft, pid 33)",
    '{"event":"clear","ns":"quiz","pid":33,"match":"a*"}': "clear   quiz  (match a*, pid 33)",
    '{"event":"clear","ns":"quiz","pid":33,"soft":true,"tags":["a","b"]}': "clear   quiz  (soft, tags a b, pid 33)",
    '{"event":"expire","ns":"quiz","key":"k"}': "expire  quiz k",
    '{"event":"evict","ns":"quiz","key":"k","reason":"bytes"}': "evict   quiz k  (over bytes)",
    '{"event":"fill","ns":"quiz","key":"k","pid":33,"ttl":60,"size":2,"load":0.25}': (
        "fill    quiz k  (loaded in 250.0ms, ttl 1m, 2 bytes, pid 33)"
    ),
    '{"event":"lease","ns":"quiz","key":"k","pid":33}': "lease   quiz k  (pid 33)",
    '{"event":"lease","ns":"quiz","key":"k","pid":33,"handed_over":true}': "lease   quiz k  (handed over, pid 33)",
    '{"event":"release","ns":"quiz","key":"k","pid":33,"reason":"timed_out"}': "release quiz k  (timed_out, pid 33)",
    '{"event":"policy","ns":"quiz","pid":33}': "policy  quiz  (pid 33)",
    '{"event":"redis","state":"up"}': "redis   up",
    '{"event":"redis","state":"down","reason":"connection lost: gone"}': "redis   down  (connection lost: gone)",
    '{"event":"redis","gap":true}': ("redis    (its log could not be followed: shared values in memory are dropped)"),
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
        assert process.stdout.readline() == b"expire  quiz k\n"
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
