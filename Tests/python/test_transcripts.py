"""Each transcript against the real daemon, over its socket; each line of it against the schemas on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import judged
import transcripts

if TYPE_CHECKING:
    from conftest import StartDaemon


@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: transcripts.Transcript, start_daemon: StartDaemon) -> None:
    judged.replay(transcript, start_daemon(transcript.configuration).connect)


def test_there_are_transcripts() -> None:
    assert len(transcripts.load()) >= 25
