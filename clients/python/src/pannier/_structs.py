"""Values by msgspec: its own structs, and other types where pydantic isn't installed. It knows no keys."""

from __future__ import annotations

from typing import Any, cast, get_args

import msgspec

from ._values import Codec, NotCacheableError


class StructCodec(Codec[Any]):
    def __init__(self, annotation: object) -> None:
        try:
            self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(cast("Any", annotation))
        except TypeError as error:
            raise TypeError(f"{annotation}: msgspec can't tell what it is: {error}") from None
        self._encoder = msgspec.json.Encoder()

    def encode(self, value: Any) -> bytes:
        try:
            raw = self._encoder.encode(value)
            # It takes whatever it can write, and writes no number as null.
            if self._decoder.decode(raw) == value:
                return raw
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            raise NotCacheableError(str(error)) from error
        raise NotCacheableError(f"a {type(value).__name__} does not come back as what the function says it returns")

    def decode(self, raw: bytes) -> Any:
        try:
            return self._decoder.decode(raw)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error


def has_struct(annotation: object) -> bool:
    """Whether a struct is in the type."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return True
    return any(has_struct(part) for part in get_args(annotation))


def loads(raw: bytes) -> Any:
    """As the standard library's, in a third of the time; what only that takes it is left."""
    import json

    try:
        return msgspec.json.decode(raw)
    except msgspec.MsgspecError:
        return json.loads(raw)
