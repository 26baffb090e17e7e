"""`cache_put` and `cache_invalidate`: what a function that changes data does to what is kept. They run after it, and
wait for the answer.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from . import _calls as calls
from ._async_cache import cache
from ._given import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._async_cache import AsyncCache
    from ._calls import Call
    from ._durations import Duration

P = ParamSpec("P")
R = TypeVar("R")


def cache_put(
    cache_name: str,
    key: str,
    ttl: Duration | Callable[[Any], Duration] | None = None,
    *,
    tags: Sequence[str] = (),
    stale: Duration | None = None,
    condition: Callable[[Any], bool] | None = None,
    returns: object = None,
    client: AsyncCache | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keeps what the function returns under `key`, each time that it is called. Templates see the arguments and
    `{result}`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        from ._plan import FunctionPlan
        from ._templates import Template

        template = Template(key, function, has_result=True)
        plan = FunctionPlan(function, cache_name, tags, returns, ttl=ttl, stale=stale, condition=condition)

        def changes(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> list[Call[Any]]:
            name = template.key(args, kwargs, result)
            storing = plan.storing(name, result, (args, kwargs))
            # What was kept is not what the function says now.
            return [storing if storing is not None else calls.delete(cache_name, [name])]

        return _after(function, changes, None, client or cache)

    return decorate


def cache_invalidate(
    cache_name: str,
    key_pattern: str | None = None,
    *,
    tags: Sequence[str] = (),
    after_commit: str | None = None,
    client: AsyncCache | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """After the function has returned: ends what is kept under a key, what fits a pattern (a template with a star or a
    question mark that isn't escaped), and what bears a tag; without any of these, the whole namespace. Templates see
    the arguments and `{result}`.

    `after_commit`: the name of the argument that is a SQLAlchemy session: it is done when that has committed. So a
    transaction that is rolled back ends nothing, and no reader fills anew with what was there before.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        from ._templates import Template, argument_of

        template = None if key_pattern is None else Template(key_pattern, function, has_result=True, is_glob=True)
        marks = [Template(tag, function, has_result=True) for tag in listed("tags", tags)]
        session = None if after_commit is None else argument_of(function, after_commit)

        def changes(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> list[Call[Any]]:
            made: list[Call[Any]] = []
            if template is not None:
                name = template.key(args, kwargs, result)
                made.append(
                    calls.clear(cache_name, match=name) if template.is_pattern else calls.delete(cache_name, [name])
                )
            if marks:
                made.append(calls.clear(cache_name, tags=[mark.key(args, kwargs, result) for mark in marks]))
            return made or [calls.clear(cache_name)]

        return _after(function, changes, session, client or cache)

    return decorate


def _after(
    function: Callable[P, R],
    changes: Callable[[tuple[Any, ...], dict[str, Any], Any], list[Call[Any]]],
    session: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None,
    client: AsyncCache,
) -> Callable[P, R]:
    from inspect import iscoroutinefunction

    def postponed(made: list[Call[Any]], args: Any, kwargs: Any) -> bool:
        """Whether it is done when the session has committed; where it has nothing open any more, it has."""
        if session is None:
            return False
        found = session(args, kwargs)
        plain = getattr(found, "sync_session", found)
        if not plain.in_transaction():
            return False
        if plain is found:
            _when_committed(plain, lambda: [client.sync.run(call, always=True) for call in made])
        else:
            _when_committed(plain, lambda: _await_each(client, made))
        return True

    if iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            result = await function(*args, **kwargs)
            made = changes(args, kwargs, result)
            if not postponed(made, args, kwargs):
                for call in made:
                    await client.run(call, always=True)
            return result

        return call_async  # type: ignore[return-value]

    @functools.wraps(function)
    def call_sync(*args: P.args, **kwargs: P.kwargs) -> R:
        result = function(*args, **kwargs)
        made = changes(args, kwargs, result)
        if not postponed(made, args, kwargs):
            for call in made:
                client.sync.run(call, always=True)
        return result

    return call_sync


# Under which a session keeps what waits for its commit.
_PENDING = "pannier_after_commit"


def _await_each(client: AsyncCache, made: list[Call[Any]]) -> None:
    """Within the commit of an AsyncSession, which is a greenlet: the loop goes on meanwhile."""
    from sqlalchemy.util import await_only

    for call in made:
        await_only(client.run(call, always=True))


def _when_committed(plain: Any, action: Callable[[], object]) -> None:
    from sqlalchemy import event

    pending: list[Callable[[], object]] | None = plain.info.get(_PENDING)
    if pending is None:
        # Once for each session: listeners can't be taken off while they are called.
        pending = plain.info[_PENDING] = []
        event.listen(plain, "after_commit", _committed)
        event.listen(plain, "after_transaction_end", _ended)
    pending.append(action)


def _committed(session: Any) -> None:
    """Also said of a savepoint, whose changes nobody else sees before the whole transaction has committed."""
    if session.in_nested_transaction():
        return
    actions = list(session.info[_PENDING])
    session.info[_PENDING].clear()
    for action in actions:
        action()


def _ended(session: Any, transaction: Any) -> None:
    """Rolled back or closed. What was changed before a savepoint outlives the savepoint's end."""
    if transaction.parent is None:
        session.info[_PENDING].clear()
