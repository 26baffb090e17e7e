"""Carries out the steps of a load: requests by a client, runs by the function that the caller has. It decides nothing.

What a client says of the sidecar never gets in the way of a result: a request that fails comes to what it comes to
where there is no sidecar.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from ._alone import Alone
from ._batch import RunFor
from ._calls import Call
from ._errors import PannierError, RefusedError
from ._loads import REFUSED, RUN_ALONE, UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from ._async_cache import AsyncCache
    from ._cache import Cache
    from ._loads import Run
    from ._plan import Plan

    AnySteps = Generator[Run | RunFor | Call[Any], Any, Any]

T = TypeVar("T")


class _Carrier:
    def __init__(self, plan: Plan, alone: Alone | None, *, raises: bool) -> None:
        self._plan = plan
        self._raises = raises
        self._alone = alone or Alone(plan.codec)

    def unanswered(self, error: PannierError) -> None:
        """The sidecar says nothing: that is counted, and told or raised."""
        self._plan.counts.unanswered += 1
        if self._raises:
            raise error
        self._plan.tell_refusal(error)


class SyncCarrier(_Carrier):
    def __init__(self, plan: Plan, client: Cache, alone: Alone | None = None, *, raises: bool) -> None:
        super().__init__(plan, alone, raises=raises)
        self._client = client

    def ask(self, call: Call[T]) -> T | None:
        """None: the sidecar says nothing."""
        try:
            return self._client.ask(call)
        except PannierError as error:
            self.unanswered(error)
            return None

    def carry_out(self, steps: AnySteps, function: Callable[..., Any], key: str = "") -> Any:
        """`function` is given the keys, where there are many. `key`: of the runs that are made one at a time."""
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Call):
                        sent = self._request(step)
                    elif isinstance(step, RunFor):
                        sent = self._run(functools.partial(function, step.keys))
                    elif step is RUN_ALONE:
                        sent = self._alone.run(key, lambda: self._run(function))
                    else:
                        sent = self._run(function)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(sent)
        except StopIteration as end:
            return end.value

    def _run(self, function: Callable[[], Any]) -> Any:
        self._plan.counts.loads += 1
        try:
            return function()
        except Exception:
            self._plan.counts.failures += 1
            raise

    def _request(self, call: Call[Any]) -> Any:
        try:
            return self._client.ask(call)
        except PannierError as error:
            self._plan.tell_refusal(error)
            return REFUSED if isinstance(error, RefusedError) else UNANSWERED


class AsyncCarrier(_Carrier):
    def __init__(self, plan: Plan, client: AsyncCache, alone: Alone | None = None, *, raises: bool) -> None:
        super().__init__(plan, alone, raises=raises)
        self._client = client

    async def ask(self, call: Call[T]) -> T | None:
        """None: the sidecar says nothing."""
        try:
            return await self._client.ask(call)
        except PannierError as error:
            self.unanswered(error)
            return None

    async def carry_out(self, steps: AnySteps, function: Callable[..., Awaitable[Any]], key: str = "") -> Any:
        """`function` is given the keys, where there are many. `key`: of the runs that are made one at a time."""
        is_cancelled = False
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Call):
                        sent = await self._request(step, is_cancelled)
                    elif isinstance(step, RunFor):
                        sent = await self._run(functools.partial(function, step.keys))
                    elif step is RUN_ALONE:
                        sent = await self._alone.run_async(key, lambda: self._run(function))
                    else:
                        sent = await self._run(function)
                except Exception as error:
                    step = steps.throw(error)
                except BaseException as error:
                    is_cancelled = True
                    step = steps.throw(error)
                else:
                    step = steps.send(sent)
        except StopIteration as end:
            return end.value

    async def _run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        self._plan.counts.loads += 1
        try:
            return await function()
        except Exception:
            self._plan.counts.failures += 1
            raise

    async def _request(self, call: Call[Any], is_cancelled: bool) -> Any:
        if is_cancelled:
            # Told at once, and not waited for: nobody waits any more.
            self._client.link.tell(call.line)
            return call.otherwise
        try:
            return await self._client.ask(call)
        except PannierError as error:
            self._plan.tell_refusal(error)
            return REFUSED if isinstance(error, RefusedError) else UNANSWERED
