"""Reads the transcripts of `protocol/transcripts` and replays them; their notation is defined in the README there.

It compares lines and knows nothing of JSON beyond where a scalar ends; schemas are `schemas.py`'s matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peer import ClosedError, NoAnswerError, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parents[2] / "protocol" / "transcripts"

_LINE = re.compile(r"(?P<connection>[A-Z]?)(?P<arrow>-->|<--)(?: (?P<text>.*))?")
_CLOCK = re.compile(r"@ \+(?P<seconds>[0-9]+(?:\.[0-9]+)?)s")
# A string, which is passed over, or a name outside of one.
_STRING_OR_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|(?<=[:,\[])\$([a-z][a-z0-9_]*)')
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)'
_ID = re.compile(rf'\{{"id":({_SCALAR}),')


class TranscriptError(Exception):
    """A transcript is not written as its README says."""


class MismatchError(AssertionError):
    """The server did not say what the transcript says."""


@dataclass(frozen=True)
class Send:
    line: int
    connection: str
    text: str


@dataclass(frozen=True)
class Expect:
    line: int
    connection: str
    text: str


@dataclass(frozen=True)
class Advance:
    line: int
    seconds: str


@dataclass(frozen=True)
class Transcript:
    name: str
    configuration: str
    steps: list[Send | Expect | Advance]


def load() -> list[Transcript]:
    return [parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.txt"))]


def parse(name: str, text: str) -> Transcript:
    configuration: list[str] = []
    steps: list[Send | Expect | Advance] = []
    at_head = True
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("#!"):
            if not at_head:
                raise TranscriptError(f"{name}:{number}: configuration stands only at the head")
            configuration.append(line[3:] + "\n")
            continue
        at_head = False
        if not line or line.startswith("# ") or line == "#":
            continue
        steps.append(_step(name, number, line))
    if not any("jitter:" in line for line in configuration):
        raise TranscriptError(f"{name}: the head does not say what jitter is")
    return Transcript(name, "".join(configuration), steps)


def _step(name: str, number: int, line: str) -> Send | Expect | Advance:
    if clock := _CLOCK.fullmatch(line):
        return Advance(number, clock["seconds"])
    said = _LINE.fullmatch(line)
    if not said:
        raise TranscriptError(f"{name}:{number}: no such line: {line}")
    if said["arrow"] == "-->":
        return Send(number, said["connection"], said["text"] or "")
    if not said["text"]:
        raise TranscriptError(f"{name}:{number}: an answer is missing")
    return Expect(number, said["connection"], said["text"])


class Replay:
    """One run of one transcript. `connect` opens a connection; `heard` is told of every line sent and received."""

    def __init__(
        self,
        transcript: Transcript,
        connect: Callable[[], Peer],
        heard: Callable[[str, bool, str], None] = lambda _connection, _sent, _line: None,
    ) -> None:
        self._transcript = transcript
        self._connect = connect
        self._heard = heard
        self._peers: dict[str, Peer] = {}
        self._early: defaultdict[str, list[str]] = defaultdict(list)
        self._names: dict[str, str] = {}
        self._control: Peer | None = None
        # The connection on which something was sent and nothing received since.
        self._unread: str | None = None

    def run(self) -> None:
        try:
            for step in self._transcript.steps:
                self._take(step)
            # An answer too many is as wrong as one too few.
            for connection in list(self._peers):
                self._expect_nothing(Expect(0, connection, "(nothing)"))
        finally:
            for peer in [*self._peers.values(), *([self._control] if self._control else [])]:
                peer.close()

    def _take(self, step: Send | Expect | Advance) -> None:
        if isinstance(step, Advance):
            self._advance(step)
        elif isinstance(step, Send):
            self._send(step)
        elif step.text == "(nothing)":
            self._expect_nothing(step)
        elif step.text == "(closed)":
            self._expect_closed(step)
        else:
            self._expect(step)

    def _send(self, step: Send) -> None:
        text = substitute(step.text, lambda name: self._value(step, name))
        if self._unread not in (None, step.connection):
            self._let_server_read()
        self._unread = step.connection
        peer = self._peers.get(step.connection)
        if peer is None:
            peer = self._peers[step.connection] = self._connect()
        if text.strip():
            self._heard(step.connection, True, text)
        try:
            peer.send(text)
        except ClosedError as error:
            raise self._mismatch(step, "a connection to speak on", "(closed)") from error

    def _value(self, step: Send, name: str) -> str:
        if name not in self._names:
            raise TranscriptError(f"{self._transcript.name}:{step.line}: no answer has taken ${name} yet")
        return self._names[name]

    def _advance(self, step: Advance) -> None:
        if self._unread:
            self._let_server_read()
        if self._control is None:
            self._control = self._connect()
        answer = self._control.ask(f'{{"op":"advance","seconds":{step.seconds}}}')
        if answer != '{"ok":true}':
            raise self._mismatch(step, '{"ok":true}', answer)

    def _expect(self, step: Expect) -> None:
        answer = self._next(step)
        if not (match := _pattern(step.text, self._names).fullmatch(answer)):
            raise self._mismatch(step, step.text, answer)
        self._names.update(match.groupdict())

    def _next(self, step: Expect) -> str:
        """The next answer with the id that the step has, or the next without one."""
        wanted = _id(step.text)
        early = self._early[step.connection]
        for index, line in enumerate(early):
            if _id(line) == wanted:
                return early.pop(index)
        while True:
            line = self._receive(step)
            if _id(line) == wanted:
                return line
            early.append(line)

    def _receive(self, step: Expect) -> str:
        peer = self._peers.get(step.connection)
        if peer is None:
            raise TranscriptError(f"{self._transcript.name}:{step.line}: nothing was said on this connection")
        try:
            line = peer.receive()
        except (ClosedError, NoAnswerError) as error:
            said = self._early[step.connection]
            raise self._mismatch(step, step.text, f"{type(error).__name__} after {said}") from error
        self._heard(step.connection, False, line)
        if self._unread == step.connection:
            self._unread = None
        return line

    def _let_server_read(self) -> None:
        """What was sent has been read: a server may take up connections in another order than they were spoken on."""
        with self._connect() as fresh:
            fresh.ask('{"op":"ping"}')
        self._unread = None

    def _expect_nothing(self, step: Expect) -> None:
        self._let_server_read()
        early = self._early[step.connection]
        if line := early[0] if early else self._peers[step.connection].available():
            raise self._mismatch(step, "(nothing)", line)

    def _expect_closed(self, step: Expect) -> None:
        try:
            line = self._peers[step.connection].receive()
        except ClosedError:
            return
        except NoAnswerError as error:
            raise self._mismatch(step, "(closed)", str(error)) from error
        raise self._mismatch(step, "(closed)", line)

    def _mismatch(self, step: Send | Expect | Advance, expected: str, found: str) -> MismatchError:
        place = f"{self._transcript.name}.txt:{step.line or 'end'}"
        return MismatchError(f"{place}\n  expected {expected}\n  found    {found}")


def _id(line: str) -> str | None:
    found = _ID.match(line)
    return found[1] if found else None


def _pattern(template: str, names: dict[str, str]) -> re.Pattern[str]:
    """What an answer has to be, names taken so far filled in."""
    parts: list[str] = []
    taken: set[str] = set()
    for literal, name in _split(template):
        parts.append(".*?".join(re.escape(piece) for piece in literal.split("...")))
        if name in names:
            parts.append(re.escape(names[name]))
        elif name in taken:
            parts.append(f"(?P={name})")
        elif name:
            parts.append(f"(?P<{name}>{_SCALAR})")
            taken.add(name)
    return re.compile("".join(parts), re.DOTALL)


def substitute(text: str, value: Callable[[str], str]) -> str:
    """The text with each `$name` replaced by its value."""
    return _STRING_OR_NAME.sub(lambda found: value(found[1]) if found[1] else found[0], text)


def _split(template: str) -> list[tuple[str, str]]:
    """The text between names, each with the name that follows it, "" at the end."""
    pieces: list[tuple[str, str]] = []
    start = 0
    for found in _STRING_OR_NAME.finditer(template):
        if found[1]:
            pieces.append((template[start : found.start()], found[1]))
            start = found.end()
    return [*pieces, (template[start:], "")]
