"""The protocol's transcripts said through the client's links, sync and async, to the real sidecar."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from link_peers import Links

import transcripts
from daemon import Daemon
from transcripts import Expect, Send, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

# A link is one answer for one request, so that what a sidecar says by itself is none of its matter.
NOT_BY_LINKS: dict[str, str] = {
    "ids": "it is about ids, and a link gives its own or none",
    "line_limit": "its last connection is closed by the sidecar, of which a link tells nobody: it opens another",
    "lease_insight": "it watches: events come without being asked for",
    "watch": "it watches: events come without being asked for",
}
NOT_BY_ASYNC = {"stats": "it counts the error of a line that is no object, in which there is no place for an id"}
_OWN_ID = re.compile(r'"id"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\s]+)')


def sayable(transcript: Transcript, can_say: Callable[[str], bool]) -> Transcript:
    """Without the lines that a link can't say, and without their answers."""
    left_out: set[int] = set()
    for place, step in enumerate(transcript.steps):
        if isinstance(step, Send) and not can_say(step.text):
            left_out.add(place)
            left_out.update(_answer(transcript, place, step, left_out))
    steps = [step for place, step in enumerate(transcript.steps) if place not in left_out]
    return replace(transcript, steps=steps)


def _answer(transcript: Transcript, place: int, sent: Send, left_out: set[int]) -> list[int]:
    """The place of the answer with the line's id, or of the next without one on its connection, where that comes."""
    if not sent.text:
        return []
    following = [
        (other, step.text)
        for other, step in enumerate(transcript.steps)
        if other > place and other not in left_out and isinstance(step, Expect) and step.connection == sent.connection
    ]
    own = _OWN_ID.search(sent.text)
    with_id = [other for other, text in following if own and text.startswith(f'{{"id":{own[1]},')]
    without = [other for other, text in following if not text.startswith(("(", '{"id"'))]
    return with_id[:1] or ([] if own and _is_id(own[1]) else without[:1])


def _is_id(text: str) -> bool:
    return re.fullmatch(r'-?[0-9]+|".{0,64}"', text) is not None


def by_sync(line: str) -> bool:
    """A line with an id of its own may be answered out of turn; an empty one isn't."""
    return bool(line.strip()) and not _OWN_ID.search(line)


def by_async(line: str) -> bool:
    """It writes an id of its own into each object: in what isn't one there is no place for it."""
    return by_sync(line) and line.startswith('{"')


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: Transcript, kind: str) -> None:
    why_not = {**NOT_BY_LINKS, **(NOT_BY_ASYNC if kind == "async" else {})}.get(transcript.name)
    if why_not is not None:
        pytest.skip(why_not)
    daemon = Daemon(transcript.configuration)
    links: Links | None = None
    try:
        with daemon:
            links = Links(daemon)
            connect, can_say = (links.sync, by_sync) if kind == "sync" else (links.awaited, by_async)
            transcripts.Replay(sayable(transcript, can_say), connect).run()
    finally:
        if links is not None:
            links.close()


def test_little_is_left_out() -> None:
    """Of all lines sent, and so of what the links were tried with."""
    said = [(step.text, t.name) for t in transcripts.load() for step in t.steps if isinstance(step, Send)]
    plain = [text for text, name in said if name not in NOT_BY_LINKS]
    assert len(plain) > len(said) * 0.85
    assert sum(map(by_sync, plain)) > len(said) * 0.85
    assert sum(map(by_async, plain)) > len(said) * 0.8
