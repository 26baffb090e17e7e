"""Keys out of a function's arguments: a template, compiled when the function is decorated, or all of them.

What is compiled is text made of names that were checked before, and of nothing else. It is imported by whoever
decorates: `inspect` takes a quarter of what all the rest takes.
"""

from __future__ import annotations

import inspect
import string
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from ._keys import NoKey, escape_glob, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    KeyOf = Callable[..., str]


# Arguments that are of the call, and not of what it returns: by the names of their classes, so that none is imported.
_LEFT_OUT = frozenset(
    {
        "sqlalchemy.orm.session.Session",
        "sqlalchemy.ext.asyncio.session.AsyncSession",
        "sqlalchemy.orm.scoping.scoped_session",
        "sqlalchemy.engine.base.Connection",
        "sqlalchemy.ext.asyncio.engine.AsyncConnection",
        "starlette.requests.HTTPConnection",
        "starlette.responses.Response",
        "starlette.background.BackgroundTasks",
        "httpx._client.BaseClient",
        "aiohttp.client.ClientSession",
        "requests.sessions.Session",
        "redis.client.Redis",
        "redis.asyncio.client.Redis",
    }
)


class Template:
    """`"user:{user.id}:{page}"` over the arguments of a function, and over `{result}` where there is one."""

    def __init__(
        self,
        text: str,
        function: Callable[..., Any],
        *,
        has_result: bool = False,
        is_glob: bool = False,
        suffix: str = "",
    ) -> None:
        self.text = text
        signature = inspect.signature(function)
        parts: list[str] = []
        # A pattern: a star or a question mark of the template's own, not escaped.
        self.is_pattern = False
        for literal, field, form, conversion in string.Formatter().parse(text):
            if form or conversion:
                raise TypeError(f"{text!r}: a field takes neither a format nor a conversion")
            bare = literal.replace("\\*", "").replace("\\?", "")
            self.is_pattern = self.is_pattern or (is_glob and ("*" in bare or "?" in bare))
            if literal:
                parts.append(repr(literal))
            if field is not None:
                parts.append(f"{_SPELL}({_expression(field, signature, text, has_result)})")
        if suffix:
            parts.append(repr(suffix))
        spelling = _spell_for_glob if self.is_pattern else spell
        self._key = _compiled(function, signature, " + ".join(parts) or "''", spelling)

    def key(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: object = None) -> str:
        key: str = self._key(result, *args, **kwargs)
        return key

    @property
    def key_of(self) -> KeyOf:
        """Called as the function is."""
        return partial(self._key, None)


def argument_of(function: Callable[..., Any], name: str) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Finds one argument in a call's."""
    signature = inspect.signature(function)
    if name not in signature.parameters:
        raise TypeError(f"{function.__qualname__} has no parameter {name!r}")
    found = _compiled(function, signature, name, spell)
    return lambda args, kwargs: found(None, *args, **kwargs)


# Names that no parameter has.
_SPELL, _RESULT = "_pannier_spell", "_pannier_result"


def _spell_for_glob(value: object) -> str:
    return escape_glob(spell(value))


def _expression(field: str, signature: inspect.Signature, text: str, has_result: bool) -> str:
    """`user.profile.id`: a parameter, and attributes of it. A slip is found here, when the function is decorated."""
    first, *attributes = field.split(".")
    names = [*signature.parameters]
    if first not in names and not (has_result and first == "result"):
        known = ", ".join([*names, *(["result"] if has_result else [])]) or "none"
        raise TypeError(f"{text!r}: there is no parameter {first!r}; there is {known}")
    for attribute in attributes:
        if not attribute.isidentifier() or attribute.startswith("__"):
            raise TypeError(f"{text!r}: {attribute!r} is no attribute")
    return ".".join([first if first in names else _RESULT, *attributes])


def _compiled(
    function: Callable[..., Any], signature: inspect.Signature, body: str, spelling: Callable[..., str]
) -> Callable[..., Any]:
    """A function with the same parameters behind a result: Python binds them forty times as fast as `bind` does."""
    scope: dict[str, Any] = {_SPELL: spelling}
    parameters = [_RESULT]
    # The result is positional alone, so that a parameter may have any name; theirs, then, are as they were.
    slash = 1
    star: int | None = None
    for name, parameter in signature.parameters.items():
        default = ""
        if parameter.default is not parameter.empty:
            scope[f"_pannier_default_{name}"] = parameter.default
            default = f"=_pannier_default_{name}"
        if parameter.kind is parameter.POSITIONAL_ONLY:
            slash += 1
        if parameter.kind is parameter.VAR_POSITIONAL:
            star = len(parameters)
        if parameter.kind is parameter.KEYWORD_ONLY and star is None:
            star = len(parameters)
            parameters.append("*")
        prefix = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        prefix = "**" if parameter.kind is parameter.VAR_KEYWORD else prefix
        parameters.append(f"{prefix}{name}{default}")
    parameters.insert(slash, "/")
    exec(f"def key({', '.join(parameters)}): return {body}", scope)
    compiled: Callable[..., Any] = scope["key"]
    # Where arguments are missing it is the function's name that Python says.
    compiled.__qualname__ = function.__qualname__
    return compiled


class DefaultKey:
    """The function's qualified name and its arguments, defaults applied, without those that aren't of its result."""

    def __init__(self, function: Callable[..., Any], ignore: Iterable[str], suffix: str) -> None:
        signature = inspect.signature(function)
        ignored = set(ignore)
        unknown = ignored - set(signature.parameters)
        if unknown:
            raise TypeError(f"ignore: {function.__qualname__} has no parameter {', '.join(sorted(unknown))}")
        annotations = _annotations(function)
        self._name = f"{function.__module__}.{function.__qualname__}"
        parts = [
            f"{_SPELL}({name!r}, {name})"
            for place, name in enumerate(signature.parameters)
            if name not in ignored
            and not (place == 0 and name in ("self", "cls"))
            and not _is_left_out(annotations.get(name))
        ]
        body = " + ".join([repr(self._name), *parts, *([repr(suffix)] if suffix else [])])
        # Called as the function is.
        self.key_of: KeyOf = partial(_compiled(function, signature, body, self._part), None)

    def _part(self, name: str, value: object) -> str:
        if _is_of_the_call(value):
            return ""
        try:
            return f":{name}={spell(value)}"
        except TypeError as error:
            raise TypeError(
                f"{self._name}: the argument {name!r}: {error}; "
                f"give `key=`, `ignore=[{name!r}]`, or Annotated[…, NoKey]"
            ) from None


def _is_of_the_call(value: object) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" in _LEFT_OUT for kind in type(value).__mro__)


def _is_left_out(annotation: object) -> bool:
    if get_origin(annotation) is Annotated:
        return any(part is NoKey or isinstance(part, NoKey) for part in get_args(annotation))
    return False


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    from typing import get_type_hints

    try:
        return get_type_hints(function, include_extras=True)
    except Exception:  # a name that only type checkers know
        return {}
