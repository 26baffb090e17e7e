"""The replayer itself, against a fake server that says what it is told to: what is wrong must fail."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import pytest

import transcripts
from peer import Peer
from transcripts import MismatchError, Replay, TranscriptError, parse

HEAD = "#! defaults: {jitter: 0}\n"


@dataclass
class Fake:
    """Answers each line by a table, on any number of connections; a table entry may hold several lines, or none."""

    answers: dict[str, list[str]]
    # A line after which the connection is closed.
    closing: str = ""
    received: list[str] = field(default_factory=list[str])

    def connect(self) -> Peer:
        return Answered(self)


class Answered(Peer):
    """A connection whose far end answers while the near one sends: without a thread nothing is late or left over."""

    def __init__(self, fake: Fake) -> None:
        near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        super().__init__(near)
        self._fake = fake

    def send(self, line: str) -> None:
        super().send(line)
        text = self._far.recv(1 << 16).decode().rstrip("\n")
        self._fake.received.append(text)
        said = self._fake.answers.get(text, ['{"ok":true}'])
        self._far.sendall("".join(f"{answer}\n" for answer in said).encode())
        if text == self._fake.closing:
            self._far.close()

    def close(self) -> None:
        super().close()
        self._far.close()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    # What a fake says is there before it is asked for: waiting for more is in vain.
    monkeypatch.setattr("peer.ANSWER_SECONDS", 0.01)


def replay(text: str, fake: Fake) -> None:
    Replay(parse("test", HEAD + text), fake.connect).run()


GET = '{"op":"get"}'
SET = '{"op":"set"}'
HIT = '{"ok":true,"hit":true,"value":"a,$b..."}'
META = '{"ok":true,"version":17,"key":"a\\"b","value":1}'


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        pytest.param(f"--> {GET}\n<-- {HIT}", {GET: [HIT]}, id="the same"),
        pytest.param(f'--> {GET}\n<-- {{"ok":true,...}}', {GET: [HIT]}, id="any run of members"),
        pytest.param(f'--> {GET}\n<-- {{"ok":true,"hit":true,"value":"a..."}}', {GET: [HIT]}, id="any run in a string"),
        pytest.param(f"--> {GET}\n<-- {HIT}...", {GET: [HIT]}, id="a run of none"),
        pytest.param(
            f'--> {GET}\n<-- {{"ok":true,"version":$v,"key":$k,"value":1}}\n--> {{"v":$v,"k":$k}}\n<-- {{"ok":$v}}',
            {GET: [META], '{"v":17,"k":"a\\"b"}': ['{"ok":17}']},
            id="names are taken and given back",
        ),
        pytest.param(
            f'--> {GET}\n<-- {{"a":$x,"b":$x}}', {GET: ['{"a":"s","b":"s"}']}, id="a name twice in one answer"
        ),
        pytest.param(f"A--> {GET}\nB--> {SET}\nB<-- 2\nA<-- 1", {GET: ["1"], SET: ["2"]}, id="several connections"),
        pytest.param(
            f'--> {GET}\n<-- {{"id":1,"ok":true}}\n<-- {{"id":2,"ok":true}}',
            {GET: ['{"id":2,"ok":true}', '{"id":1,"ok":true}']},
            id="ids may overtake",
        ),
        pytest.param(f"--> {GET}\n<-- (nothing)\n-->", {GET: [], "": []}, id="nothing"),
        pytest.param("@ +5s\n@ +0.25s", {}, id="the clock"),
    ],
)
def test_what_is_right_passes(text: str, answers: dict[str, list[str]]) -> None:
    replay(text, Fake(answers))


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        pytest.param(f"--> {GET}\n<-- {HIT}", {GET: [HIT + " "]}, id="a space more"),
        pytest.param(
            f'--> {GET}\n<-- {{"ok":true,"hit":false}}',
            {GET: ['{"hit":false,"ok":true}']},
            id="another order",
        ),
        pytest.param(f'--> {GET}\n<-- {{"ok":true,...,"x":1}}', {GET: [HIT]}, id="a run, then something else"),
        pytest.param(f"--> {GET}\n<-- {HIT}", {GET: []}, id="no answer"),
        pytest.param(f"--> {GET}\n<-- 1", {GET: ["1", "2"]}, id="an answer too many"),
        pytest.param(f"--> {GET}\n<-- (nothing)", {GET: ["1"]}, id="something"),
        pytest.param(f"--> {GET}\n<-- 1\n<-- 2", {GET: ["2", "1"]}, id="without ids answers must not overtake"),
        pytest.param(f'--> {GET}\n<-- {{"id":1,"ok":true}}', {GET: ['{"id":2,"ok":true}']}, id="another request's id"),
        pytest.param(f'--> {GET}\n<-- {{"a":$x,"b":$x}}', {GET: ['{"a":1,"b":2}']}, id="a name of two things"),
        pytest.param(
            f'--> {GET}\n<-- {{"a":$x}}\n--> {SET}\n<-- {{"a":$x}}',
            {GET: ['{"a":1}'], SET: ['{"a":2}']},
            id="a name of another thing later",
        ),
        pytest.param(f'--> {GET}\n<-- {{"a":$x}}', {GET: ['{"a":{"b":1}}']}, id="a name of what is no scalar"),
        pytest.param("@ +5s", {'{"op":"advance","seconds":5}': ['{"ok":false}']}, id="the clock doesn't move"),
        pytest.param(f"--> {GET}\n<-- (closed)", {GET: ["1"]}, id="not closed but answered"),
        pytest.param(f"--> {GET}\n<-- (closed)", {GET: []}, id="not closed"),
    ],
)
def test_what_is_wrong_fails(text: str, answers: dict[str, list[str]]) -> None:
    with pytest.raises(MismatchError):
        replay(text, Fake(answers))


def test_a_closed_connection_is_seen() -> None:
    replay(f"A--> {GET}\nA<-- bye\nA<-- (closed)\nB--> {SET}\nB<-- 1", Fake({GET: ["bye"], SET: ["1"]}, GET))
    with pytest.raises(MismatchError):
        replay(f"--> {GET}\n<-- bye\n<-- more", Fake({GET: ["bye"]}, GET))


def test_the_clock_has_a_connection_of_its_own() -> None:
    fake = Fake({GET: ["1"], '{"op":"advance","seconds":0.25}': ['{"ok":true}']})
    replay(f"--> {GET}\n@ +0.25s\n<-- 1", fake)
    assert fake.received[:2] == [GET, '{"op":"advance","seconds":0.25}']


def test_every_line_is_heard() -> None:
    heard: list[tuple[str, bool, str]] = []

    def note(connection: str, sent: bool, line: str) -> None:
        heard.append((connection, sent, line))

    Replay(parse("test", f"{HEAD}A--> {GET}\nA<-- ..."), Fake({GET: ["1"]}).connect, note).run()
    assert heard == [("A", True, GET), ("A", False, "1")]


@pytest.mark.parametrize(
    "text",
    ["-> x", "-->x", "<--", "@ 5s", "@ +5m", "AB--> x", "a--> x", "#no space", "{}"],
)
def test_a_line_of_no_kind_is_refused(text: str) -> None:
    with pytest.raises(TranscriptError):
        parse("test", HEAD + text)


def test_the_head_is_the_configuration() -> None:
    transcript = parse("test", "#! defaults:\n#!   jitter: 0\n# Title.\n\n--> {}\n")
    assert transcript.configuration == "defaults:\n  jitter: 0\n"
    assert transcript.steps == [transcripts.Send(5, "", "{}")]
    with pytest.raises(TranscriptError):
        parse("test", HEAD + "# Title.\n#! memory: 1MiB\n")
    with pytest.raises(TranscriptError):
        parse("test", "# Title.\n--> {}\n")


def test_an_untaken_name_is_refused() -> None:
    with pytest.raises(TranscriptError):
        replay('--> {"a":$b}', Fake({}))
