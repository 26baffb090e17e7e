"""`http_cache` and `http_invalidate`: what a route says of its answers. The asking is done where the route's function
would be called, behind its dependencies: whoever they turn away is shown nothing.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, get_type_hints

from anyio import from_thread
from starlette.requests import Request

from pannier._given import listed
from pannier._loads import DEFAULT_WAIT
from pannier._log import Once
from pannier._templates import Template

from ._cache import MARK, Change
from ._exchange import EXCHANGE, Exchange
from ._rule import DEFAULT_NAMESPACE, DEFAULT_STATUSES, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from starlette.responses import Response

    from pannier._durations import Duration

    from ._rule import UserKey

P = ParamSpec("P")
R = TypeVar("R")

# What FastAPI gives a function that has no parameter for the request itself.
_REQUEST = "pannier_request"


def http_cache(
    ttl: Duration | None = None,
    *,
    swr: Duration | None = None,
    sie: Duration | None = None,
    vary: Sequence[str] = (),
    tags: Sequence[str] = (),
    user_key: UserKey | None = None,
    public: bool = False,
    max_age: Duration | None = None,
    statuses: Collection[int] = DEFAULT_STATUSES,
    cache_name: str = DEFAULT_NAMESPACE,
    wait: Duration = DEFAULT_WAIT,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keeps what a route answers, by what Rule says. Beneath `@app.get(…)`, and the app needs
    `app.add_middleware(HTTPCache)`. Its tags are templates over the function's arguments and `{result}`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        rule = Rule(
            ttl,
            swr=swr,
            sie=sie,
            vary=vary,
            tags=tags,
            user_key=user_key,
            public=public,
            max_age=max_age,
            statuses=statuses,
            cache_name=cache_name,
            wait=wait,
        )
        return cast("Callable[P, R]", _Route(function, rule.tags, rule).wrapped())

    return decorate


def http_invalidate(*, tags: Sequence[str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Of a route that changes data: where it answers with success, what bears a tag is ended along with its own URI."""
    ended = listed("tags", tags)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        return cast("Callable[P, R]", _Route(function, ended, None).wrapped())

    return decorate


class _Route:
    """`rule`: None, where it only invalidates."""

    def __init__(self, function: Callable[..., Any], tags: Sequence[str], rule: Rule | None) -> None:
        self.function = function
        self.rule = rule
        self.name = f"{function.__module__}.{function.__qualname__}"
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{self.name} is a stream, which is never kept")
        if rule is not None:
            rule.name = self.name
        self.tags: list[Template] = [Template(tag, function, has_result=True) for tag in tags]
        self.signature, self.request_name = _signature(function)
        self.is_given_request = self.request_name != _REQUEST
        self.once = Once()

    def wrapped(self) -> Any:
        function, rule = self.function, self.rule
        if inspect.iscoroutinefunction(function):

            async def call_async(*args: Any, **kwargs: Any) -> Any:
                request = self.request(kwargs)
                shown = None if request is None or rule is None else await self.kept(request, rule)
                if shown is not None:
                    return shown
                result = await function(*args, **kwargs)
                self.tag(request, args, kwargs, result)
                return result

            return self.named(call_async)

        def call(*args: Any, **kwargs: Any) -> Any:
            request = self.request(kwargs)
            # FastAPI calls a `def` in a thread of its own.
            shown = None if request is None or rule is None else from_thread.run(self.kept, request, rule)
            if shown is not None:
                return shown
            result = function(*args, **kwargs)
            self.tag(request, args, kwargs, result)
            return result

        return self.named(call)

    def request(self, kwargs: dict[str, Any]) -> Request | None:
        """None: it is called by something else than a route, as a test may."""
        found = kwargs.get(self.request_name) if self.is_given_request else kwargs.pop(self.request_name, None)
        if found is not None and EXCHANGE not in found.scope:
            raise RuntimeError(f"{self.name}: the app has no cache: app.add_middleware(HTTPCache)")
        return found

    async def kept(self, request: Request, rule: Rule) -> Response | None:
        exchange = request.scope[EXCHANGE]
        if not isinstance(exchange, Exchange):
            return None
        return exchange.stand_in() if await exchange.engage(rule, request) else None

    def tag(self, request: Request | None, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        exchange = None if request is None else request.scope.get(EXCHANGE)
        if not isinstance(exchange, (Exchange, Change)):
            return
        try:
            exchange.tags.extend(tag.key(args, kwargs, result) for tag in self.tags)
        except Exception as error:
            if isinstance(exchange, Change):
                # What it should end would be shown on.
                raise
            self.once.warn(f"{self.name}: its answer can't be kept: a tag fails", f"{type(error).__name__}: {error}")
            exchange.refused = "tags"

    def named(self, wrapper: Any) -> Any:
        functools.update_wrapper(wrapper, self.function)
        # FastAPI would look through it, at a function that knows nothing of the request.
        del wrapper.__wrapped__
        wrapper.__signature__ = self.signature
        wrapper.original = self.function
        if self.rule is not None:
            setattr(wrapper, MARK, self.rule)
        return wrapper


def _signature(function: Callable[..., Any]) -> tuple[inspect.Signature, str]:
    """What FastAPI is to see, and the parameter that the request comes by. Annotations that are text are looked up
    here, where the function's own names are known.
    """
    signature = inspect.signature(function)
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{function.__qualname__}: its annotations name what isn't there: {error}") from None
    parameters = [
        parameter.replace(annotation=hints.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    returned = hints.get("return", signature.return_annotation)
    for parameter in parameters:
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Request):
            return signature.replace(parameters=parameters, return_annotation=returned), parameter.name
    added = inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    # Behind it nothing may stand but `**`.
    place = len(parameters) - (parameters[-1:] != [] and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    parameters.insert(place, added)
    return signature.replace(parameters=parameters, return_annotation=returned), _REQUEST
