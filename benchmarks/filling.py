"""Fills a namespace in requests of many items each, the fast way, and makes the keys and the value used throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from link import Link

# The most that the daemon takes in one request by default is 1,000.
ITEMS = 500

KEY_BYTES = 16
VALUE_BYTES = 100
# A JSON string: its quotes count too.
VALUE = '"' + "v" * (VALUE_BYTES - 2) + '"'


def key_of(number: int) -> str:
    """A key of 16 bytes."""
    return f"key-{number:012}"


def fill(link: Link, namespace: str, keys: Iterable[str], *, ttl: int = 3600) -> int:
    """Sets each key to `VALUE`, and returns how many there were."""
    stored = 0
    for batch in groups(keys, ITEMS):
        items = ",".join(f'{{"key":"{key}","value":{VALUE},"ttl":{ttl}}}' for key in batch)
        answer = link.exchange(f'{{"op":"set","ns":"{namespace}","items":[{items}]}}\n'.encode(), 1)
        if answer.count(b'"stored":true') != len(batch):
            raise RuntimeError(f"not all was stored: {answer[:200]!r}")
        stored += len(batch)
    return stored


def groups(keys: Iterable[str], size: int) -> Iterable[list[str]]:
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
