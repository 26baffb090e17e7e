"""The protocol's transcripts, said to the fake: each line of it against the schemas on the way."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

import pytest
from heads import configuration

import schemas
import transcripts
from pannier.testing._entries import Caller
from pannier.testing._sidecar import Sidecar
from peer import ClosedError, NoAnswerError, Peer

if TYPE_CHECKING:
    from types import TracebackType

# Transcripts that are about the daemon itself, and why the fake can't pass them.
LEFT_OUT: dict[str, str] = {}


class FakePeer(Peer):
    """A connection to a fake: what is there to be received is there at once."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._heard: deque[bytes] = deque()
        self._session = sidecar.open(Caller(812, 1000), self._heard.append)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, line: str) -> None:
        if self._session.is_closed:
            raise ClosedError
        self._sidecar.answer(self._session, line.encode())

    def receive(self) -> str:
        if not self._heard:
            raise ClosedError if self._session.is_closed else NoAnswerError
        return self._heard.popleft().decode()

    def available(self) -> str | None:
        return self._heard.popleft().decode() if self._heard else None

    def close(self) -> None:
        self._sidecar.close(self._session)


@pytest.mark.parametrize("transcript", transcripts.load(), ids=lambda transcript: transcript.name)
def test_transcript(transcript: transcripts.Transcript) -> None:
    if transcript.name in LEFT_OUT:
        pytest.skip(LEFT_OUT[transcript.name])
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
