"""Keys for calls of language models: the same request has the same key, however it was put together. It calls none."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final, cast

from ._keys import KeySpellingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# How an answer travels, for whom and for how long it is waited: not what it says.
_NOT_OF_THE_ANSWER: Final = frozenset(
    {"extra_headers", "max_retries", "metadata", "stream", "stream_options", "timeout", "user"}
)


def llm_key(model: str, messages: str | Sequence[object], *, allow_random: bool = False, **params: object) -> str:
    """The model's name, a colon, and 64 hexadecimal digits: SHA-256 of the request as JSON with its members in order.

    `messages`: a prompt, or messages as JSON has them, or as pydantic models. `params`: what else the model is told.
    None counts as not given, and 0.0 is 0; how the answer is delivered (`stream`, `user`, `timeout` and the like) is
    left out. A `temperature` above 0 has another answer each time, of which the first would be kept for everybody: a
    ValueError, unless `allow_random`. What JSON lacks is a KeySpellingError.
    """
    temperature = params.get("temperature")
    if not allow_random and isinstance(temperature, (int, float)) and temperature > 0:
        raise ValueError(
            f"a temperature of {temperature} answers differently each time: cache at temperature 0, or say "
            "allow_random=True to keep the first answer for all"
        )
    import hashlib
    import json

    told = {name: value for name, value in params.items() if name not in _NOT_OF_THE_ANSWER}
    request = _canonical({"model": model, "messages": messages, **told}, "the request")
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{model}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _canonical(value: Any, place: str) -> object:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not isfinite(value):
            raise KeySpellingError(f"{place}: JSON has no {value}")
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return _members(cast("Mapping[Any, Any]", value), place)
    if isinstance(value, (list, tuple)):
        return [_canonical(part, f"{place}[{number}]") for number, part in enumerate(cast("Sequence[Any]", value))]
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return _canonical(dump(mode="json"), place)
    raise KeySpellingError(f"{place}: a {type(value).__name__} isn't JSON: give strings, numbers, lists and dicts")


def _members(value: Mapping[Any, Any], place: str) -> dict[str, object]:
    for name in value:
        if not isinstance(name, str):
            raise KeySpellingError(f"{place}: {name!r} is no name of a member: expected a string")
    return {name: _canonical(part, f"{place}.{name}") for name, part in value.items() if part is not None}
