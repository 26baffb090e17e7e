"""A transcript replayed with each of its lines held against the schemas on the way, whatever answers it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import schemas
import transcripts

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer
    from transcripts import Transcript


def replay(transcript: Transcript, connect: Callable[[], Peer]) -> None:
    pairings: defaultdict[str, schemas.Pairing] = defaultdict(schemas.Pairing)
    wrong: list[str] = []

    def heard(connection: str, sent: bool, line: str) -> None:
        if sent:
            pairings[connection].sent(line)
            return
        parsed = schemas.parse(line)
        exchange = pairings[connection].received(line, parsed)
        wrong.extend(f"{exchange.request}\n{line}\n  {fault}" for fault in schemas.judge(exchange, parsed))

    transcripts.Replay(transcript, connect, heard).run()
    assert not wrong, "\n".join(wrong)
