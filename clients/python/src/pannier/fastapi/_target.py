"""What a request is for, as a key, and what it changes, as tags. It knows neither what is kept nor for how long.

A key is the URI as it stands in logs, its query sorted, so that `keys` and `explain` can be read and a glob finds a
part of the site: `https://example.org/api/quiz?page=1&size=5 user=42`. No part of it has a space, so that what follows
one can't be made up by a client.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from pannier._keys import spell

from ._headers import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

# What may stand in a URI as it is; a per cent sign is an escape's.
_SAFE: Final = "/:?#[]@!$&'()*+,;=-._~%"
# Of a host: nothing that would end it. `site/a` with `/b` would else be `site` with `/a/b`.
_SAFE_IN_HOST: Final = ":[]!$&'()*+,;=-._~"
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE: Final = re.compile(r"%([0-9a-fA-F]{2})")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
# Beneath the sidecar's 1,024 bytes, and with room for a variant.
_LONGEST_KEY: Final = 900
_KEPT_OF_LONG_KEY: Final = 700
LONGEST_TAG: Final = 128


class Target:
    """Of a request, by its ASGI scope."""

    __slots__ = ("origin", "path", "query", "rewritten")

    def __init__(self, scope: Mapping[str, Any]) -> None:
        path: str = scope["path"]
        # Some servers leave the query in it, and some give none.
        raw = (scope.get("raw_path") or b"").partition(b"?")[0].decode("latin-1") or quote(path)
        self.path = canonical(raw)
        # Something outside has changed what is routed by, perhaps by a header, or it is no path; None: neither.
        self.rewritten = None if unquote(raw) == path and path.startswith("/") else path
        self.query = sorted_query(scope.get("query_string", b"").decode("latin-1"))
        self.origin = origin(scope.get("scheme", "http"), _host(scope))

    def key(self, *, user: object = None, version: str | None = None, by_host: bool = True) -> str:
        text = (self.origin if by_host else "") + self.path + (f"?{self.query}" if self.query else "")
        if self.rewritten is not None:
            text += f" path={quote(self.rewritten)}"
        if user is not None:
            text += f" user={quote(spell(user), safe=':')}"
        if version is not None:
            text += f" version={quote(version, safe='')}"
        return text if len(text) <= _LONGEST_KEY else f"{text[:_KEPT_OF_LONG_KEY]} digest={digest(text)}"

    @property
    def tags(self) -> list[str]:
        """Of what is kept of it, and of what its change ends."""
        paths = [self.path] if self.rewritten is None else [self.path, canonical(quote(self.rewritten))]
        return [path_tag(path) for path in paths]

    def changed_by(self, locations: Iterable[str]) -> list[str]:
        """The tags of what a change of it ends: itself, and what it names of the same origin (RFC 9111, 4.4)."""
        tags = self.tags
        for location in locations:
            try:
                there = urlsplit(urljoin(self.origin + self.path, location))
                if origin(there.scheme, there.netloc) == self.origin:
                    tags.append(path_tag(canonical(there.path or "/")))
            except ValueError:
                # No URI, so none of ours.
                continue
        return list(dict.fromkeys(tags))


def variant_key(key: str, variant: str) -> str:
    return f"{key} vary={variant}"


def variant_of(names: Sequence[str], headers: Iterable[tuple[bytes, bytes]]) -> str:
    """What a request says in the headers that an answer varies by. A digest: there may be secrets among them."""
    lines = list(headers)
    return digest(repr([(name, value_of(lines, name)) for name in sorted(set(names))]))


def path_tag(path: str) -> str:
    """All that is kept of a path bears it, of whatever query, host, user and variant."""
    tag = f"path:{path}"
    return tag if len(tag) <= LONGEST_TAG else f"path%H{digest(path)}"


def canonical(path: str) -> str:
    """One spelling of those that mean the same (RFC 3986, 6.2.2): escapes only where they are needed, in capitals."""

    def unescaped(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else found[0].upper()

    return quote(_ESCAPE.sub(unescaped, path), safe=_SAFE, encoding="latin-1")


def sorted_query(query: str) -> str:
    """By name. Several values of one name keep their order, which may mean something."""
    parts = canonical(query).split("&") if query else []
    return "&".join(sorted(parts, key=lambda part: part.partition("=")[0]))


def origin(scheme: str, host: str) -> str:
    scheme, host = scheme.lower(), host.lower()
    port = _DEFAULT_PORTS.get(scheme, "")
    return f"{scheme}://{quote(host.removesuffix(port) if port else host, safe=_SAFE_IN_HOST, encoding='latin-1')}"


def digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _host(scope: Mapping[str, Any]) -> str:
    found = value_of(scope["headers"], "host")
    if found is not None:
        return found
    server: tuple[str, int | None] | None = scope.get("server")
    return "" if server is None else f"{server[0]}:{server[1]}" if server[1] else server[0]
