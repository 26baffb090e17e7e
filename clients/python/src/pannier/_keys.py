"""How a value is spelled in a key: `protocol/KEYS.md` says it for every client. It knows no templates, no functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta
    from decimal import Decimal

# Of a spelled value, in characters: what is longer stands as its beginning and a digest.
LONGEST_TEXT = 200
_KEPT_TEXT = 100
_DIGEST_DIGITS = 32
# No text has these: in an escaped one two hexadecimal digits stand behind each per cent sign.
_NONE, _DIGEST = "%N", "%H"


class KeySpellingError(TypeError):
    """A value has no spelling that would be the same in every process."""


class NoKey:
    """`Annotated[T, NoKey]`: the argument is left out of the default key."""


def spell(value: Any) -> str:
    """The spelling of one value, escaped, so that it is told apart from what stands beside it."""
    # By far the commonest, and told apart by one comparison each.
    if type(value) is str:
        return escape(value)
    if type(value) is int:
        return str(value)
    return _NONE if value is None else escape(_plain(value))


def escape(text: str) -> str:
    """Text as a part of a key: no colon in it, and no per cent sign that isn't an escape's. What is too long is its
    beginning and a digest.
    """
    if not text.isascii():
        _check(text)
    if len(text) > LONGEST_TEXT:
        return f"{_escaped(text[:_KEPT_TEXT])}{_DIGEST}{_digest(text)}"
    return _escaped(text)


def _check(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise KeySpellingError(
            f"a text with half of a surrogate pair, {text[error.start]!a}, has no spelling in a key"
        ) from None


def _escaped(text: str) -> str:
    if "%" in text:
        text = text.replace("%", "%25")
    if ":" in text:
        text = text.replace(":", "%3A")
    return text


def escape_glob(text: str) -> str:
    """Text that a glob is to match as it is."""
    for sign in "\\*?[]":
        if sign in text:
            text = text.replace(sign, "\\" + sign)
    return text


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


def _plain(value: object) -> str:
    """What isn't a text, as one."""
    spelled = _jsonable(value, set())
    return spelled if isinstance(spelled, str) else _json(spelled)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _jsonable(value: object, open_ones: set[int]) -> object:
    """A JSON value that spells it: texts for what has a spelling of its own, lists and objects for what has parts."""
    scalar = spell_scalar(value)
    if scalar is not None:
        return scalar
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if id(value) in open_ones:
        raise KeySpellingError(f"a {type(value).__name__} that contains itself has no spelling in a key")
    open_ones.add(id(value))
    try:
        return _parts(value, open_ones)
    finally:
        open_ones.discard(id(value))


def spell_scalar(value: object) -> str | None:
    """What is spelled by a text of its own; None: it isn't. Numbers and truth are JSON's."""
    if isinstance(value, str):
        return value if type(value) is str else _of_text(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (bytes, bytearray)):
        import base64

        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    return _library_scalar(value)


def _of_text(value: str) -> str:
    """An enumeration of texts is spelled by its value, however it prints."""
    found = getattr(value, "value", None)
    return found if type(found) is str else str.__str__(value)


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise KeySpellingError(f"{value} has no spelling in a key")
    # Minus nought is nought.
    return repr(value + 0.0)


def _library_scalar(value: object) -> str | None:
    """By name, so that none of their modules is imported for it."""
    names = {kind.__module__ + "." + kind.__qualname__ for kind in type(value).__mro__}
    if "uuid.UUID" in names:
        return str(value)
    if "decimal.Decimal" in names:
        return _decimal(cast("Decimal", value))
    if "datetime.datetime" in names:
        return _datetime(cast("datetime", value))
    if "datetime.date" in names or "datetime.time" in names:
        return value.isoformat()  # type: ignore[attr-defined,no-any-return]
    if "datetime.timedelta" in names:
        return _seconds(cast("timedelta", value))
    if "pathlib.PurePath" in names:
        return str(value)
    return None


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise KeySpellingError(f"{value} has no spelling in a key")
    # As many digits as it needs: 1.50 and 1.5 are one number.
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _datetime(value: datetime) -> str:
    if value.utcoffset() is None:
        return value.isoformat()
    from datetime import timezone

    # One moment has one spelling, wherever it was told.
    return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _seconds(value: timedelta) -> str:
    micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    text = f"{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000:06}".rstrip("0").rstrip(".")
    return ("-" if micros < 0 else "") + text + "s"


def _parts(value: Any, open_ones: set[int]) -> object:
    enumerated = _enum_value(value)
    if enumerated is not None:
        return _jsonable(enumerated[0], open_ones)
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return {_member(name, open_ones): _jsonable(part, open_ones) for name, part in members.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [_jsonable(part, open_ones) for part in cast("Iterable[object]", value)]
        return sorted(parts, key=_json) if isinstance(value, (set, frozenset)) else parts
    fields = _fields(value)
    if fields is not None:
        return {name: _jsonable(part, open_ones) for name, part in fields.items()}
    raise KeySpellingError(
        f"a {type(value).__module__}.{type(value).__qualname__} has no spelling that is the same in every process"
    )


def _enum_value(value: object) -> tuple[object] | None:
    for kind in type(value).__mro__:
        if kind.__module__ == "enum" and kind.__qualname__ == "Enum":
            return (value.value,)  # type: ignore[attr-defined]
    return None


def _member(name: object, open_ones: set[int]) -> str:
    spelled = _jsonable(name, open_ones)
    return spelled if isinstance(spelled, str) else _json(spelled)


def _fields(value: object) -> dict[str, object] | None:
    """Of a dataclass, or a pydantic model; None: it is neither."""
    kind = type(value)
    names: Any = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)
    if not isinstance(names, dict):
        return None
    return {name: getattr(value, name) for name in cast("dict[str, object]", names)}
