"""Each transcript against the real daemon, over its socket; each line of it against the schemas on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

import schemas
import transcripts

if TYPE_CHECKING:
    from conftest import StartDaemon


@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: transcripts.Transcript, start_daemon: StartDaemon) -> None:
    daemon = start_daemon(transcript.configuration)
    pairings: defaultdict[str, schemas.Pairing] = defaultdict(schemas.Pairing)
    wrong: list[str] = []

    def heard(connection: str, sent: bool, line: str) -> None:
        if sent:
            pairings[connection].sent(line)
            return
        parsed = schemas.parse(line)
        exchange = pairings[connection].received(line, parsed)
        wrong.extend(f"{exchange.request}\n{line}\n  {fault}" for fault in schemas.judge(exchange, parsed))

    transcripts.Replay(transcript, daemon.connect, heard).run()
    assert not wrong, "\n".join(wrong)


def test_there_are_transcripts() -> None:
    assert len(transcripts.load()) >= 25
