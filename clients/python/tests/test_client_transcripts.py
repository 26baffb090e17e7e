"""The protocol's transcripts said through the client's links, sync and async, to the real sidecar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from link_peers import Links
from sayable import by_async, by_sync

import transcripts
from daemon import Daemon
from transcripts import MismatchError, Send

if TYPE_CHECKING:
    from transcripts import Transcript

TRANSCRIPTS = transcripts.load()
# What can't be said of them is what the rest of them is about.
NOT_BY_ASYNC: dict[str, str] = {
    "ids": "a clear counts what was set in a line with an id of its own, for which the link has one",
    "stats": "it counts the error of a line that is no object, in which there is no place for an id",
}
PAIRS = [
    pytest.param(transcript, kind, id=f"{transcript.name}-{kind}")
    for transcript in TRANSCRIPTS
    for kind in ("sync", "async")
    if kind == "sync" or transcript.name not in NOT_BY_ASYNC
]


def say(transcript: Transcript, kind: str) -> None:
    """As much of it as such a link can say."""
    links: Links | None = None
    try:
        with Daemon(transcript.configuration) as daemon:
            links = Links(daemon)
            if kind == "sync":
                transcripts.Replay(by_sync(transcript), links.sync).run()
            else:
                transcripts.Replay(by_async(transcript), links.awaited).run()
    finally:
        if links is not None:
            links.close()


@pytest.mark.parametrize(("transcript", "kind"), PAIRS)
def test_transcript(transcript: Transcript, kind: str) -> None:
    say(transcript, kind)


@pytest.mark.parametrize("name", NOT_BY_ASYNC)
def test_what_is_listed_comes_out_otherwise(name: str) -> None:
    """Else it is to be taken off the list."""
    (transcript,) = (one for one in TRANSCRIPTS if one.name == name)
    with pytest.raises(MismatchError):
        say(transcript, "async")


def test_little_is_left_out() -> None:
    """Of all lines sent, and so of what the links were tried with."""
    sent = sum(map(lines, TRANSCRIPTS))
    assert sum(lines(by_sync(one)) for one in TRANSCRIPTS) > sent * 0.97
    assert sum(lines(by_async(one)) for one in TRANSCRIPTS if one.name not in NOT_BY_ASYNC) > sent * 0.9


def lines(transcript: Transcript) -> int:
    return sum(isinstance(step, Send) for step in transcript.steps)
