"""The Lua scripts as the Swift sources have them, and a host that calls them and decides nothing."""

from __future__ import annotations

import json
import re
import textwrap
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis_server import Argument, RedisServer

SOURCES = Path(__file__).parents[2] / "Sources" / "PannierServer" / "Redis" / "Scripts"
LITERAL = re.compile(r'name: "(?P<name>\w+)",\s+text: #"""\n(?P<text>.*?)\n *"""#', re.DOTALL)

LOG, FLOOR, HOSTS = "p:~log", "p:~floor", "p:~hosts"
LOG_RECORDS = 1000
LIFE_MILLISECONDS = 60_000


def sources() -> dict[str, str]:
    """Each script's text by its name."""
    found = (match for path in sorted(SOURCES.glob("*.swift")) for match in LITERAL.finditer(path.read_text("utf-8")))
    return {match["name"]: textwrap.dedent(match["text"]) for match in found}


def value_name(key: str, ns: str = "q") -> str:
    return f"p:{ns}:{key}"


def lease_name(key: str, ns: str = "q") -> str:
    return f"p:~lease:{ns}:{key}"


def slot(key: str, ns: str = "q") -> int:
    return zlib.crc32(f"{ns}:{key}".encode()) % 4096


def times(life: int = LIFE_MILLISECONDS, stale: int = 0, age: int = 0) -> str:
    return f',"life":{life:13},"stale":{stale:13},"age":{age:13}'


def envelope(key: str, payload: str = "1", version: int = 1, birth: str = "0-0") -> str:
    """A value as the sidecar stores it; EnvelopeTests.swift says how it looks."""
    quoted = json.dumps(birth)
    front = f'{{"pannier":1,"version":{version:16},"soft":0,"birth":{quoted:39}{times()}'
    return f'{front},"encoding":"json","bytes":{len(payload)},"key":{json.dumps(key)},"tags":[]}}\n{payload}'


@dataclass
class Joined:
    """What a join answered. Tables: group → the n of its record."""

    incarnation: str
    base: str
    n: int
    tables: dict[str, dict[str, int]]


class Host:
    """A connection of one boot, which has joined. `incarnation` is what it sends as its E."""

    def __init__(self, server: RedisServer, boot: str = "a", connection: int = 1) -> None:
        self.server = server
        self.boot = boot
        self.connection = connection
        self.incarnation = "0"
        self.ops = 0
        self._digests = {name: server.text("SCRIPT", "LOAD", text) or "" for name, text in sources().items()}

    def join(
        self,
        *namespaces: str,
        run: str = "run",
        registers: bool = True,
        known: str | None = None,
        wants_tables: bool = True,
    ) -> Joined:
        names = namespaces or ("q",)
        reply = self._run(
            "join",
            [FLOOR, LOG, HOSTS, *(f"p:~groups:{ns}" for ns in names)],
            run,
            self.boot,
            self.connection if registers else "",
            self.incarnation if known is None else known,
            LOG_RECORDS,
            "1" if wants_tables else "",
            *names,
        )
        assert isinstance(reply, list)
        incarnation, base, n, *tables = cast("tuple[bytes, bytes, int, list[bytes]]", reply)
        self.incarnation = incarnation.decode()
        return Joined(self.incarnation, base.decode(), n, dict(zip(names, map(table, tables), strict=bool(tables))))

    def delete(self, *keys: str, leases: Sequence[str] = ()) -> int:
        return self.delete_counted(*keys, leases=leases)[0]

    def delete_counted(self, *keys: str, leases: Sequence[str] = ()) -> tuple[int, int]:
        """The record's n, and how many of the values were there."""
        reply = self._change("delete", [*map(value_name, keys), *map(lease_name, leases)], *self._selection(keys))
        assert isinstance(reply, list)
        n, count = cast("list[int]", reply)
        return n, count

    def soft(self, *keys: str, leases: Sequence[str] = ()) -> int:
        reply = self._change("soft", [*map(value_name, keys), *map(lease_name, leases)], *self._selection(keys))
        assert isinstance(reply, int)
        return reply

    def clear(self, scope: str = "all", *texts: str, ns: str = "q", soft: bool = False) -> int:
        reply = self._change("clear", [f"p:~groups:{ns}"], "softclear" if soft else "clear", scope, *texts, ns=ns)
        assert isinstance(reply, int)
        return reply

    def set(
        self, *keys: str, guard: int | None = None, payload: str = "1", version: int = 1, leases: Sequence[str] = ()
    ) -> tuple[str, int]:
        reply = self._change(
            "set",
            [HOSTS, *map(value_name, keys), *map(lease_name, leases)],
            self.connection,
            "" if guard is None else guard,
            *self._selection(keys),
            *(LIFE_MILLISECONDS for _ in keys),
            *(envelope(key, payload, version) for key in keys),
        )
        return outcome(reply)

    def set_if(self, key: str, expected: bytes, seen: int, version: int = 1) -> tuple[str, int]:
        reply = self._change(
            "setIf",
            [HOSTS, value_name(key), lease_name(key)],
            self.connection,
            seen,
            slot(key),
            key,
            expected[:39],
            LIFE_MILLISECONDS,
            envelope(key, version=version),
        )
        return outcome(reply)

    def touch(self, key: str, expected: bytes, seen: int, life: int) -> tuple[str, int]:
        reply = self._change(
            "touch",
            [HOSTS, value_name(key)],
            self.connection,
            seen,
            slot(key),
            key,
            expected[:48],
            life,
            times(life, 0, 5),
        )
        return outcome(reply)

    def fill(self, key: str, birth: int, token: str | None = None, payload: str = "1") -> tuple[str, int]:
        value = envelope(key, payload, birth=f"{self.incarnation}-{birth}")
        names = [value_name(key)] if token is None else [value_name(key), lease_name(key)]
        tokens = [] if token is None else [token]
        return outcome(self._change("fill", names, birth, slot(key), key, LIFE_MILLISECONDS, value, *tokens))

    def claim(self, key: str, token: str, life: int = LIFE_MILLISECONDS) -> tuple[str, int]:
        head = (self.incarnation, self.boot, self.connection, "q")
        reply = self._run("claim", [FLOOR, HOSTS, lease_name(key)], *head, token, life)
        word, left, n = cast("tuple[bytes, int, int]", reply)
        assert n == floor(self.server, "n")
        return word.decode(), left

    def release(self, key: str, token: str, pause: str = "", milliseconds: int = 1) -> int:
        reply = self._change("release", [lease_name(key)], key, token, pause, milliseconds)
        assert isinstance(reply, int)
        return reply

    def remove(self, **fronts: bytes) -> int:
        """Of each key the value's front as it was read."""
        head = (self.incarnation, LOG_RECORDS, self.boot, 0, "q")
        reply = self._run("remove", [FLOOR, *map(value_name, fronts)], *head, *(f[:96] for f in fronts.values()))
        assert isinstance(reply, int)
        return reply

    def _selection(self, keys: Sequence[str]) -> list[Argument]:
        return [len(keys), *map(slot, keys), *keys]

    def _change(self, name: str, keys: Sequence[str], *arguments: Argument, ns: str = "q") -> object:
        self.ops += 1
        header = (self.incarnation, LOG_RECORDS, self.boot, self.ops, ns)
        return self._run(name, [FLOOR, LOG, *keys], *header, *arguments)

    def _run(self, name: str, keys: Sequence[str], *arguments: Argument) -> object:
        return self.server.call("EVALSHA", self._digests[name], len(keys), *keys, *arguments)


def outcome(reply: object) -> tuple[str, int]:
    word, number = cast("tuple[bytes, int]", reply)
    return word.decode(), number


def table(flat: Sequence[bytes]) -> dict[str, int]:
    return {member.decode(): abs(int(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)}


# MARK: what Redis holds


def everything(server: RedisServer) -> dict[bytes, object]:
    """All of it: what was refused must leave it as it was."""
    names = cast("list[bytes]", server.call("KEYS", "*"))
    return {name: server.call("DUMP", name) for name in names}


def records(server: RedisServer) -> list[tuple[str, str]]:
    """Each record's id, and its fields as one text."""
    entries = cast("list[tuple[bytes, list[bytes]]]", server.call("XRANGE", LOG, "-", "+"))
    return [(number.decode(), b" ".join(fields).decode()) for number, fields in entries]


def floor(server: RedisServer, field: str | int) -> int:
    return int(server.text("HGET", FLOOR, field) or 0)


def read(server: RedisServer, key: str) -> bytes:
    value = server.call("GET", value_name(key))
    return value if isinstance(value, bytes) else b""


def birth(server: RedisServer, key: str) -> str:
    found = re.search(rb'"birth":"([\d-]+)" *,', read(server, key))
    assert found is not None
    return found[1].decode()


def groups(server: RedisServer, ns: str = "q") -> dict[str, int]:
    return table(cast("list[bytes]", server.call("ZRANGE", f"p:~groups:{ns}", 0, -1, "WITHSCORES")))


# MARK: one of each change


CHANGES = ["delete", "soft", "clear", "set", "setIf", "touch", "fill", "fill under a lease", "claim", "release"]


def attempt(host: Host, change: str) -> object:
    match change:
        case "delete":
            return host.delete("k", "l", leases=["k"])
        case "soft":
            return host.soft("k", "l")
        case "clear":
            return host.clear("match", "k*")
        case "set":
            return host.set("k", "l", guard=0)
        case "setIf":
            return host.set_if("k", b"", 1000)
        case "touch":
            return host.touch("k", envelope("k").encode(), 1000, 5)
        case "fill":
            return host.fill("k", 0)
        case "claim":
            return host.claim("k", "token")
        case "release":
            return host.release("k", "token")
        case _:
            return host.fill("k", 0, token="token")
