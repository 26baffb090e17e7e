"""The sidecar's decisions without its process: a line in, answers out. It knows no sockets, no threads and no clock:
time stands where `advance` has put it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from . import _answers as answers
from ._events import Log
from ._limits import Limits
from ._loads import Loads
from ._ops import Ops
from ._refusal import CLOSING, CODES, RefusalError
from ._request import OPS, read
from ._session import Session
from ._waits import Waits
from ._world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._entries import Caller

# 14 years, in milliseconds.
_LATEST: Final = 14 * 365 * 86_400_000


class Sidecar:
    """`configuration`: as `pannier.yaml` has it, in Python's own types; what is of the process alone is passed over."""

    def __init__(self, configuration: Mapping[str, Any], seed: int = 0) -> None:
        random = Random(seed)
        self.limits = Limits(configuration.get("limits") or {})
        self.log = Log(random)
        self.loads = Loads(self.limits, self.log)
        self.world = World(configuration, self.limits, self.log)
        self.waits = Waits(self.loads, self.limits, self._say, self._refuse)
        self.requests = dict.fromkeys(OPS, 0)
        self.errors = dict.fromkeys(CODES, 0)
        self.sessions: list[Session] = []
        self.now = 0
        self._random = random
        self._ops = Ops(self, random)

    # MARK: Sessions

    def open(self, caller: Caller, hear: Callable[[bytes], None]) -> Session:
        session = Session(caller, hear)
        self.sessions.append(session)
        return session

    def close(self, session: Session) -> None:
        """The client is gone."""
        if session.is_closed:
            return
        session.is_closed = True
        self.sessions.remove(session)
        self.waits.end(session, self.now)
        self.loads.end(session, self.now)
        self._settle()

    def answer(self, session: Session, line: bytes) -> None:
        """Takes one line without its end. What is to be heard of it may be heard later."""
        if session.is_ending or session.is_closed or line.strip(b"\r") == b"":
            return
        if len(line) > self.limits.line_bytes:
            most = self.limits.line_bytes
            session.is_ending = True
            session.farewell = RefusalError("line_too_long", f"the line has more than {most} bytes (limits.line_bytes)")
        elif session.is_holding:
            self._take_behind(session, line)
        else:
            self._take(session, line)
        self._settle()

    def advance(self, milliseconds: int) -> bool:
        """Moves the clock; what is due by then is done. False, and nothing done, where that is too far."""
        if self.now + milliseconds > _LATEST:
            return False
        self.now += milliseconds
        self.loads.settle(self.now)
        self.world.expire(self.now)
        self._settle()
        return True

    def hasten(self, session: Session, identity: str | None) -> bool:
        """Ends a wait as if its time were up. False: it was over."""
        was_waiting = self.waits.hasten(session, identity, self.now)
        self._settle()
        return was_waiting

    # MARK: Lines

    def _take(self, session: Session, line: bytes) -> None:
        identity = None
        try:
            request = read(line, self.limits)
            identity = request.id
            self._ops.perform(request, session)
        except RefusalError as refusal:
            self._refuse(session, refusal.id or identity, refusal)
            if refusal.code in CLOSING:
                session.is_ending = True
                session.waiting.clear()

    def _take_behind(self, session: Session, line: bytes) -> None:
        """While one without id is being worked on, only those with one are answered."""
        try:
            identity = read(line, self.limits).id
        except RefusalError as refusal:
            identity = refusal.id
            if refusal.code in CLOSING:
                session.is_ending = True
                session.farewell = refusal
                return
        if identity is None:
            session.waiting.append(line)
        else:
            self._take(session, line)

    def _settle(self) -> None:
        """Tells those whose wait is over, takes up what waited behind them, and tells those who watch."""
        self.waits.answer_woken(self.now)
        self._tell()
        for session in list(self.sessions):
            while session.waiting and not session.is_blocked:
                self._take(session, session.waiting.popleft())
                self.waits.answer_woken(self.now)
                self._tell()
            if session.is_ending and session.in_flight == 0:
                if session.farewell is not None:
                    self._refuse(session, None, session.farewell)
                self.close(session)

    def _tell(self) -> None:
        for event in self.log.take():
            for session in self.sessions:
                if session.watch is not None and session.watch.wants(event, self._random.random()):
                    session.hear(event.line)

    def _say(self, session: Session, line: bytes) -> None:
        if not session.is_closed:
            session.hear(line)

    def _refuse(self, session: Session, identity: str | None, refusal: RefusalError) -> None:
        self.errors[refusal.code] += 1
        self._say(session, answers.refused(identity, refusal))
