"""All namespaces, and which policy each has: the configuration's, with what was set since. It knows no values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._entries import Namespace
from ._policy import Patch, Policy
from ._refusal import RefusalError
from ._settings import each_field, fault, from_python, number_of_bytes, word
from ._spans import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._events import Log
    from ._limits import Limits

_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_UNKNOWN = word("create", "refuse")
_MEMORY = number_of_bytes(1 << 44)
_PARTS = ["defaults", "namespaces", "unknown_namespaces", "memory", "limits"]


class World:
    def __init__(self, configuration: Mapping[str, Any], limits: Limits, log: Log) -> None:
        self._limits = limits
        self._log = log
        self._defaults = Patch()
        self._configured: dict[str, Patch] = {}
        self._changes: dict[str, Patch] = {}
        self._refuses_unknown = False
        # Told of, and not watched over: values are bounded by their namespaces' policies.
        self.memory = 0
        # In the order in which they came into being.
        self.namespaces: dict[str, Namespace] = {}
        self._configure(configuration)
        for name in sorted(self._configured):
            self.use(name)

    def _configure(self, configuration: Mapping[str, Any]) -> None:
        """Names all faults at once."""
        faults: list[str] = []
        parts: dict[str, Any] = {}
        each_field(from_python(configuration), _PARTS, "", faults, lambda name, value, _: parts.update({name: value}))
        self._defaults = Patch.read(parts.get("defaults"), faults, "defaults")
        for name, written in cast("dict[str, object]", parts.get("namespaces") or {}).items():
            self._configured[name] = Patch.read(written, faults, f"namespaces.{name}")
            if not _is_name(name):
                fault(faults, "namespaces", f"{quoted(name)} is no name; it must be 1 to 64 of A-Z a-z 0-9 _ . -")
        unknown = _UNKNOWN.read(parts.get("unknown_namespaces", "create"), "unknown_namespaces", faults)
        self._refuses_unknown = unknown == "refuse"
        memory = _MEMORY.read(parts.get("memory", "256MiB"), "memory", faults)
        self.memory = memory if isinstance(memory, int) else 0
        if faults:
            raise ValueError("; ".join(faults))

    # MARK: Namespaces

    def use(self, name: str) -> Namespace:
        """Made from the defaults by its first use."""
        found = self.namespaces.get(name)
        if found is None:
            policy = self.policy(name)
            if len(self.namespaces) >= self._limits.namespaces:
                count = len(self.namespaces)
                raise RefusalError(
                    "overloaded",
                    f"there are {count} namespaces, as many as limits.namespaces or a quarter of memory allow",
                )
            found = self.namespaces[name] = Namespace(name, policy, self._log)
        return found

    def known(self, name: str) -> Namespace | None:
        """None: it could be, and isn't."""
        self._check(name)
        return self.namespaces.get(name)

    def policy(self, name: str) -> Policy:
        """What holds there, or would; a refusal where it may not be."""
        self._check(name)
        return Policy(self._defaults, self._configured.get(name, Patch()), self._changes.get(name, Patch()))

    def _check(self, name: str) -> None:
        check_name(name)
        if name not in self.namespaces and self._refuses_unknown and name not in self._configured:
            raise RefusalError("unknown_namespace", f'there is no namespace "{name}", and unknown_namespaces is refuse')

    def change(self, name: str, patch: Patch) -> Policy:
        self._changes[name] = self._changes.get(name, Patch()).merged(patch)
        return self.policy(name)

    def expire(self, now: int) -> None:
        for ns in self.namespaces.values():
            ns.trim(now)
            ns.expire(now)

    @property
    def used(self) -> int:
        return sum(ns.bytes for ns in self.namespaces.values())


def check_name(name: str) -> None:
    if not _is_name(name):
        raise RefusalError("bad_request", '"ns" must be 1 to 64 of the characters A-Z a-z 0-9 _ . -')


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= 64 and _LETTERS.issuperset(name)
