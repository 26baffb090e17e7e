"""Whether a client has an answer already: RFC 9110, 8.8 and 13. It knows nothing of what is kept."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from ._headers import value_of, without

if TYPE_CHECKING:
    from datetime import datetime

    from ._headers import Headers

_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
# Of the representation that a 304 doesn't bring. The others, such as those of CORS, are of each answer.
_OF_THE_BODY: Final = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "last-modified",
        "transfer-encoding",
    }
)


def etag_of(body: bytes) -> bytes:
    """Strong, and of the bytes alone: the same in every worker, and on every host."""
    return b'"%s"' % blake2b(body, digest_size=16).hexdigest().encode()


def with_etag(status: int, headers: Headers, body: bytes) -> Headers:
    """Of a whole answer; the handler's own goes before."""
    if status != 200 or value_of(headers, "etag") is not None:
        return headers
    return [*headers, (b"etag", etag_of(body))]


def is_unchanged(asked: Headers, answered: Headers) -> bool:
    """Whether it is a 304. If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
    wanted = value_of(asked, "if-none-match")
    if wanted is not None:
        if wanted.strip() == "*":
            return True
        tag = _TAG.fullmatch((value_of(answered, "etag") or "").strip())
        # Weakly: for a GET it is enough that they mean the same.
        return tag is not None and tag[1] in _TAG.findall(wanted)
    since = _date(value_of(asked, "if-modified-since"))
    if since is None:
        return False
    modified = _date(value_of(answered, "last-modified"))
    return modified is not None and modified <= since


def unchanged_headers(headers: Headers) -> Headers:
    """Those of a 304 (RFC 9110, 15.4.5)."""
    return without(headers, _OF_THE_BODY)


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text is not None else None
        # With no zone it is no HTTP date, and isn't to be compared with one.
        return found if found is not None and found.tzinfo is not None else None
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
