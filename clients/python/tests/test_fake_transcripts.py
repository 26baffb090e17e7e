"""Each transcript of the protocol, said to the fake; each line of it against the schemas on the way."""

from __future__ import annotations

import pytest
from fake_peer import FakePeer
from heads import configuration

import judged
import transcripts
from pannier.testing._sidecar import Sidecar


@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: transcripts.Transcript) -> None:
    sidecar = Sidecar(configuration(transcript.configuration))
    judged.replay(transcript, lambda: FakePeer(sidecar))
