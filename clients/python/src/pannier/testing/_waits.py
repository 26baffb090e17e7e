"""Gets whose answer waits for another's load: kept here, asked again when what they wait for is over, and answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import _answers as answers
from ._reads import look, read
from ._refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._entries import Namespace
    from ._limits import Limits
    from ._loads import Loads, Woken
    from ._reads import Options
    from ._session import Session


class Get:
    """As it was asked. `is_many`: it is answered with `items`."""

    def __init__(
        self,
        session: Session,
        identity: str | None,
        ns: Namespace,
        keys: list[str],
        options: Options,
        since: int,
        wait: int,
        *,
        is_many: bool,
    ) -> None:
        self.session = session
        self.id = identity
        self.ns = ns
        self.keys = keys
        self.options = options
        self.is_many = is_many
        self._since = since
        self._wait = wait
        # What it waits for now, and the place in `keys` of each.
        self.tickets: dict[int, int] = {}
        # The places for which it has waited.
        self.waited_for: set[int] = set()

    def end(self, place: int) -> int:
        """Nobody waits longer than asked, nor longer than the policy allows."""
        rule = self.ns.policy.for_key(self.keys[place])
        most: int = rule["lease_timeout"] if rule["max_wait"] is None else rule["max_wait"]
        return self._since + min(self._wait, most)

    def lose_patience(self) -> None:
        self._wait = -1


class Waits:
    """`say` writes a line to a session; `refuse` an error."""

    def __init__(
        self,
        loads: Loads,
        limits: Limits,
        say: Callable[[Session, bytes], None],
        refuse: Callable[[Session, str | None, RefusalError], None],
    ) -> None:
        self._loads = loads
        self._limits = limits
        self._say = say
        self._refuse = refuse
        self._waiting: dict[int, Get] = {}

    def get(self, get: Get, now: int) -> None:
        """Answers, or waits."""
        if not self._park(get, now):
            self._answer(get, {}, now)

    def _park(self, get: Get, now: int) -> bool:
        """Who is elected for one of its keys waits for none: others might wait for it in turn."""
        outlooks = [
            look(self._loads, get.ns, key, replace(get.options, waits=get.options.waits and get.end(place) > now), now)
            for place, key in enumerate(get.keys)
        ]
        awaited = [(place, outlook.load) for place, outlook in enumerate(outlooks) if outlook.kind == "wait"]
        if not awaited or any(outlook.kind == "elect" for outlook in outlooks):
            return False
        if get.id is not None and get.session.in_flight >= self._limits.in_flight:
            raise RefusalError("overloaded", f"{get.session.in_flight} requests are in flight (limits.in_flight)")
        before = get.ns.counters.copy()
        for place, load in awaited:
            ticket = None
            if load is not None:
                end = get.end(place)
                ticket = self._loads.wait(load, get.session, now, end, seeks=get.options.lease)
            if ticket is None:
                self._cancel(get, now)
                get.ns.counters = get.ns.counters.restored(before)
                raise RefusalError(
                    "overloaded",
                    "as many wait for this key, or for all, as may (limits.waiting_per_key, limits.waiting)",
                )
            get.tickets[ticket] = place
            self._waiting[ticket] = get
        get.waited_for.update(get.tickets.values())
        get.session.block(get.id)
        return True

    def _answer(self, get: Get, turns: dict[int, int], now: int) -> None:
        """`turns`: the places of the keys that it is to load, and the waits after which it is."""
        before = get.ns.counters.copy() if get.is_many else get.ns.counters
        room = self._limits.line_bytes - len(answers.answer(get.id, answers.items([]))) + len(b"]}")
        parts: list[bytes] = []
        granted: list[tuple[str, str]] = []
        for place, key in enumerate(get.keys):
            options = replace(
                get.options, waits=False, has_waited=self._has_waited(get, place, now), turn=turns.get(place)
            )
            step = read(self._loads, get.ns, key, options, get.session, now)
            if step.lease is not None:
                granted.append((key, step.lease))
            parts.append(answers.found(step, options, now))
            # With its braces, and the comma before it.
            room -= len(parts[-1]) + 1 + (len(parts) > 1)
            if get.is_many and room < 0:
                # Nobody would ever know of these leases.
                for key, token in granted:
                    self._loads.release(get.ns, key, token, "released", None, now)
                get.ns.counters = get.ns.counters.restored(before)
                raise RefusalError(
                    "value_too_large",
                    f"the answer has more than {self._limits.line_bytes} bytes (limits.line_bytes); ask for fewer keys",
                )
        self._say(get.session, answers.answer(get.id, answers.items(parts) if get.is_many else parts[0]))

    def _has_waited(self, get: Get, place: int, now: int) -> bool:
        """Or would have, were it allowed to."""
        return place in get.waited_for or (get.options.waits and not get.is_many and get.end(place) <= now)

    def _cancel(self, get: Get, now: int) -> None:
        """What it has been elected for meanwhile is the next one's."""
        tickets, get.tickets = get.tickets, {}
        for ticket, place in tickets.items():
            del self._waiting[ticket]
            self._loads.cancel(ticket, now)
            self._loads.decline(get.ns, get.keys[place], ticket, now)

    # MARK: The end of a wait

    def answer_woken(self, now: int) -> None:
        """One answer may end another's wait."""
        while woken := self._loads.take_woken():
            for one in woken:
                self._wake(one, now)

    def _wake(self, woken: Woken, now: int) -> None:
        get = self._waiting.pop(woken.ticket, None)
        if get is None:
            return
        turns: dict[int, int] = {}
        place = get.tickets.pop(woken.ticket)
        if woken.is_elected:
            turns[place] = woken.ticket
            # Of several keys more than one may be its turn by now.
            for ticket, other in list(get.tickets.items()):
                if self._loads.is_turn(get.ns, get.keys[other], ticket):
                    turns[other] = ticket
                    del self._waiting[ticket], get.tickets[ticket]
        elif get.tickets:
            return
        self._resume(get, turns, now)

    def _resume(self, get: Get, turns: dict[int, int], now: int) -> None:
        self._cancel(get, now)
        get.session.unblock(get.id)
        try:
            if not get.session.is_closed and (turns or not self._park(get, now)):
                self._answer(get, turns, now)
        except RefusalError as refusal:
            self._refuse(get.session, get.id, refusal)
        for place, ticket in turns.items():
            self._loads.decline(get.ns, get.keys[place], ticket, now)

    def hasten(self, session: Session, identity: str | None, now: int) -> bool:
        """Ends a wait as if its time were up. False: it was over."""
        found = [item for item in self._waiting.items() if item[1].session is session and item[1].id == identity]
        for ticket, get in found:
            get.lose_patience()
            self._loads.wake(ticket, now)
        return bool(found)

    def end(self, session: Session, now: int) -> None:
        """The session's client is gone, and waits for nothing any more."""
        for get in [get for get in self._waiting.values() if get.session is session]:
            self._cancel(get, now)
