"""Values as JSON and back, by the type that a function says it returns. It knows no keys.

`protocol/VALUES.md` has what JSON lacks. Where pydantic is there it does the work, or msgspec; a plain JSON type needs
nothing, and is decoded by msgspec where that is installed.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class NotCacheableError(TypeError):
    """A result that JSON would give back as something else."""


class Codec(Generic[T]):
    """`encode` raises NotCacheableError; `decode` a ValueError where what is stored isn't of the type any more."""

    def encode(self, value: T) -> bytes:
        raise NotImplementedError

    def decode(self, raw: bytes) -> T:
        raise NotImplementedError

    def decoder(self) -> Callable[[bytes], T]:
        """`decode`, by the shortest way."""
        return self.decode


def codec_for(annotation: object) -> Codec[Any]:
    """For what a function says it returns; `Any`: it says nothing, and only what JSON has comes back as it was."""
    if annotation is Any or annotation is object:
        return JSONCodec()
    if _is_plain(annotation):
        return PlainCodec(annotation)
    if _is_installed("msgspec"):
        from ._structs import StructCodec, has_struct

        if has_struct(annotation) or not _is_installed("pydantic"):
            return StructCodec(annotation)
    return PydanticCodec(annotation)


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


@functools.cache
def _loads() -> Callable[[bytes], Any]:
    """When it is first needed: the client's own import brings neither."""
    if not _is_installed("msgspec"):
        return json.loads
    from ._structs import loads

    return loads


def _is_plain(annotation: Any) -> bool:
    """What the standard library's JSON gives back as it was, whatever is in it."""
    return annotation is None or annotation in (str, int, bool) or annotation in (dict, list)


class JSONCodec(Codec[Any]):
    def encode(self, value: Any) -> bytes:
        raw = dumped(value)
        if json.loads(raw) != value:
            raise NotCacheableError(
                f"a {type(value).__name__} does not come back from JSON as it was: say what the function returns"
            )
        return raw

    def decode(self, raw: bytes) -> Any:
        return _loads()(raw)

    def decoder(self) -> Callable[[bytes], Any]:
        return _loads()


class PlainCodec(Codec[Any]):
    def __init__(self, kind: Any) -> None:
        self._kind = type(None) if kind is None else kind

    def encode(self, value: Any) -> bytes:
        if type(value) is not self._kind:
            raise NotCacheableError(f"it returned a {type(value).__name__}, and says {self._kind}")
        raw = dumped(value)
        if self._kind in (dict, list) and json.loads(raw) != value:
            raise NotCacheableError(
                f"what is in the {type(value).__name__} does not come back from JSON as it was: say what it has"
            )
        return raw

    def decode(self, raw: bytes) -> Any:
        value = _loads()(raw)
        if type(value) is not self._kind:
            raise ValueError(f"a {type(value).__name__} is stored, and the function returns {self._kind}")
        return value


class PydanticCodec(Codec[Any]):
    def __init__(self, annotation: object) -> None:
        try:
            from pydantic import ConfigDict, TypeAdapter
            from pydantic.errors import PydanticUserError
        except ImportError:
            raise TypeError(
                f"{annotation} needs pydantic or msgspec to come back as it was: install one, or return what JSON has"
            ) from None
        from ._rows import validator_for

        config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=config)
        except PydanticUserError:
            # A model has its own.
            self._adapter = TypeAdapter(annotation)
        self._validator = validator_for(self._adapter) or self._adapter.validator

    def encode(self, value: Any) -> bytes:
        from pydantic_core import PydanticSerializationError

        try:
            return self._adapter.dump_json(value, by_alias=True, round_trip=True, warnings="error")
        except PydanticSerializationError as error:
            raise NotCacheableError(str(error)) from error

    def decode(self, raw: bytes) -> Any:
        return self._validator.validate_json(raw)

    def decoder(self) -> Callable[[bytes], Any]:
        return self._validator.validate_json


def dumped(value: object) -> bytes:
    """JSON of what JSON has, and of what VALUES.md spells."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_spelled).encode()
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        raise NotCacheableError(str(error)) from error


def _spelled(value: Any) -> object:
    if isinstance(value, (set, frozenset)):
        return list(cast("Iterable[object]", value))
    pydantic_core = sys.modules.get("pydantic_core")
    if pydantic_core is not None:
        return pydantic_core.to_jsonable_python(value, bytes_mode="base64")
    from ._keys import spell_scalar

    text = spell_scalar(value)
    if text is None:
        raise TypeError(f"JSON has no {type(value).__name__}")
    return text
