"""Each transcript of the protocol, said to the fake; each line of it against the schemas on the way."""

from __future__ import annotations

from collections import defaultdict

import pytest
from fake_peer import FakePeer
from heads import configuration

import schemas
import transcripts
from pannier.testing._sidecar import Sidecar


@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: transcripts.Transcript) -> None:
    sidecar = Sidecar(configuration(transcript.configuration))
    pairings: defaultdict[str, schemas.Pairing] = defaultdict(schemas.Pairing)
    wrong: list[str] = []

    def heard(connection: str, sent: bool, line: str) -> None:
        if sent:
            pairings[connection].sent(line)
            return
        parsed = schemas.parse(line)
        exchange = pairings[connection].received(line, parsed)
        wrong.extend(f"{exchange.request}\n{line}\n  {fault}" for fault in schemas.judge(exchange, parsed))

    transcripts.Replay(transcript, lambda: FakePeer(sidecar), heard).run()
    assert not wrong, "\n".join(wrong)
