"""An answer as the sidecar keeps it, in JSON, and back. What doesn't fit is None, and never an error: others may write
to the sidecar.

A body that is UTF-8 stands as a string, so that whoever looks a key up can read it, and costs nothing but escapes;
any other is base64, which is a third larger. It isn't nested as JSON even where it is JSON: it must come back byte for
byte, and what merely claims to be JSON would be refused by the sidecar as a bad line.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from ._headers import Headers
    from ._storing import Keeping

_FORMAT: Final = 1
_LONGEST_SECONDS: Final = 1e12
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-zA-Z-]+\Z")
# A field's value with a line's end in it would be another field.
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
# No answer that is kept has them; written by somebody else, they would set a session, or break the framing.
_NEVER: Final = frozenset({"set-cookie", "content-length", "transfer-encoding", "connection"})


class Stored:
    """`vary`: the names by which it was chosen; `variant`: what the request said in them. Times are in seconds."""

    __slots__ = ("age", "body", "headers", "lifetime", "sie", "status", "swr", "variant", "vary")

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        *,
        lifetime: float = 0.0,
        swr: float = 0.0,
        sie: float = 0.0,
        age: int = 0,
        vary: list[str] | None = None,
        variant: str = "",
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.lifetime = lifetime
        self.swr = swr
        self.sie = sie
        self.age = age
        self.vary = vary or []
        self.variant = variant


def stored_of(keeping: Keeping, status: int, headers: Headers, body: bytes, variant: str) -> Stored:
    return Stored(
        status,
        headers,
        body,
        lifetime=keeping.lifetime,
        swr=keeping.swr,
        sie=keeping.sie,
        age=keeping.age,
        vary=keeping.vary,
        variant=variant,
    )


def encoded(stored: Stored) -> bytes:
    try:
        body = {"text": stored.body.decode("utf-8")}
    except UnicodeDecodeError:
        body = {"base64": b64encode(stored.body).decode("ascii")}
    fields = {
        "format": _FORMAT,
        "status": stored.status,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in stored.headers],
        "vary": stored.vary,
        "variant": stored.variant,
        "lifetime": stored.lifetime,
        "swr": stored.swr,
        "sie": stored.sie,
        "age": stored.age,
        **body,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decoded(raw: bytes) -> Stored | None:
    try:
        fields = json.loads(raw)
        if not isinstance(fields, dict):
            return None
        return _checked(cast("dict[str, Any]", fields))
    # Nested too deep, digits by the thousand, and whatever else may stand there.
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _checked(fields: dict[str, Any]) -> Stored | None:
    status, headers, vary, variant = fields["status"], fields["headers"], fields["vary"], fields["variant"]
    times = [fields["lifetime"], fields["swr"], fields["sie"], fields["age"]]
    is_sound = (
        fields["format"] == _FORMAT
        and type(status) is int
        and 200 <= status < 600
        and isinstance(variant, str)
        and all(type(time) in (int, float) and 0 <= time < _LONGEST_SECONDS for time in times)
        and isinstance(headers, list)
        and isinstance(vary, list)
        and all(isinstance(name, str) for name in cast("list[object]", vary))
        and isinstance(fields.get("text", fields.get("base64")), str)
    )
    if not is_sound:
        return None
    body = fields["text"].encode("utf-8") if "text" in fields else b64decode(fields["base64"], validate=True)
    lifetime, swr, sie, age = times
    return Stored(
        status,
        [_field(*field) for field in cast("list[Any]", headers)],
        body,
        lifetime=lifetime,
        swr=swr,
        sie=sie,
        age=int(age),
        vary=cast("list[str]", vary),
        variant=variant,
    )


def _field(name: str, value: str) -> tuple[bytes, bytes]:
    if not _NAME.match(name) or not _VALUE.match(value) or name.lower() in _NEVER:
        raise ValueError(f"{name!r} is no field of a kept answer")
    return name.encode("latin-1"), value.encode("latin-1")
