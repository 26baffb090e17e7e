"""What of a transcript the client's links can say: a link is one answer for one request, without an id of the caller's.
It opens no link.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from transcripts import Advance, Expect, Send, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

_OWN_ID = re.compile(r'"id"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\s]+)')
_ID = re.compile(r'-?[0-9]+|".{0,64}"')
CLOSED = "(closed)"


def by_sync(transcript: Transcript) -> Transcript:
    return _without(transcript, _watching(transcript), _sync_says)


def by_async(transcript: Transcript) -> Transcript:
    """The answer to the line with which a connection closes has no id, so that nobody is told of it."""
    return _without(transcript, _watching(transcript) | _closed(transcript), _async_says)


def waits(line: str) -> bool:
    return '"wait":' in line


def _sync_says(line: str, is_behind: bool) -> bool:
    """An empty line isn't answered. One with an id is answered before those that wait; and to one that waits itself the
    link gives an id.
    """
    return bool(line.strip()) and (not _OWN_ID.search(line) or not (is_behind or waits(line)))


def _async_says(line: str, is_behind: bool) -> bool:
    """It writes an id of its own into each object: in what isn't one there is no place for it."""
    return line.startswith('{"') and not _OWN_ID.search(line)


def _watching(transcript: Transcript) -> set[str]:
    """Events come without being asked for: those connections are `watch`'s own."""
    return {step.connection for step in transcript.steps if isinstance(step, Send) and '"op":"watch"' in step.text}


def _closed(transcript: Transcript) -> set[str]:
    return {step.connection for step in transcript.steps if isinstance(step, Expect) and step.text == CLOSED}


def _without(transcript: Transcript, connections: set[str], says: Callable[[str, bool], bool]) -> Transcript:
    """Without these connections, the lines that a link can't say, and their answers; and without the end of a
    connection, of which a link tells nobody: it opens another.
    """
    left_out: set[int] = set()
    # Of each connection, what was said and isn't answered yet.
    open_lines: defaultdict[str, deque[str]] = defaultdict(deque)
    for place, step in enumerate(transcript.steps):
        if isinstance(step, Advance) or place in left_out:
            continue
        ahead = open_lines[step.connection]
        if step.connection in connections or step.text == CLOSED:
            left_out.add(place)
        elif isinstance(step, Expect):
            if step.text != "(nothing)":
                ahead.popleft()
        elif says(step.text, any(map(waits, ahead))):
            ahead.append(step.text)
        else:
            left_out.add(place)
            left_out.update(_answer(transcript, place, step, left_out))
    return replace(transcript, steps=[step for place, step in enumerate(transcript.steps) if place not in left_out])


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
    return with_id[:1] or ([] if own and _ID.fullmatch(own[1]) else without[:1])
