"""One process of the load: random requests about keys of its own, with a record of what each may answer.

Others clear what it has stored, bounds evict it, and it expires: so a miss is always allowed. A hit is not: it must be
the last value that this worker stored under the key and has not deleted since.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING

from link import Link

if TYPE_CHECKING:
    from pathlib import Path

    from link import Answer

NAMESPACES = ("plain", "entries", "bytes", "stale")
KEYS = 5000
TAGS = [f"tag-{number}" for number in range(100)]
# Shares of the requests, in thousandths.
SHARES = {
    "get": 480,
    "get_many": 50,
    "set": 300,
    "set_many": 30,
    "delete": 60,
    "touch": 30,
    "exists": 30,
    "keys": 10,
    "explain": 8,
    "clear": 0.2,
    "clear_tags": 0.5,
}
MANY = 20


class Worker:
    """Counts what it asked and was told, for the daemon's own counters to be compared with."""

    def __init__(self, socket: Path, number: int, seed: int) -> None:
        self._link = Link(socket)
        self._number = number
        self._random = random.Random(seed)
        # What is stored, by namespace and key, as its JSON text.
        self._stored: dict[tuple[str, str], str] = {}
        self._serial = 0
        self.counts: Counter[str] = Counter()

    def run(self, requests: int) -> Counter[str]:
        acts = self._random.choices(list(SHARES), list(SHARES.values()), k=requests)
        for act in acts:
            getattr(self, act)(self._random.choice(NAMESPACES))
        self._link.close()
        return self.counts

    def get(self, ns: str) -> None:
        key = self._key()
        # A stale value is still the last one stored.
        line = self._ask({"op": "get", "ns": ns, "key": key, "stale": self._random.random() < 0.2})
        self._check(ns, key, line, line)

    def get_many(self, ns: str) -> None:
        keys = self._keys()
        line = self._ask({"op": "get", "ns": ns, "keys": keys})
        items: list[Answer] = json.loads(line)["items"]
        for key, item in zip(keys, items, strict=True):
            self._check(ns, key, json.dumps(item, separators=(",", ":")), line)

    def set(self, ns: str) -> None:
        key, value = self._key(), self._value()
        fields = self._fields()
        condition = self._random.choice(("", "", "", ',"if":"absent"', ',"if":"present"'))
        line = self._send(f'{{"op":"set","ns":"{ns}","key":"{key}"{fields}{condition},"value":{value}}}', "set")
        stored = '"stored":true' in line
        if not stored and not condition:
            raise RuntimeError(f"a plain set was answered {line}")
        if stored:
            self._note(ns, key, value)

    def set_many(self, ns: str) -> None:
        pairs = [(key, self._value()) for key in self._keys()]
        items = ",".join(f'{{"key":"{key}"{self._fields()},"value":{value}}}' for key, value in pairs)
        line = self._send(f'{{"op":"set","ns":"{ns}","items":[{items}]}}', "set")
        if line.count('"stored":true') != len(pairs):
            raise RuntimeError(f"items were answered {line[:300]}")
        for key, value in pairs:
            self._note(ns, key, value)

    def delete(self, ns: str) -> None:
        key, soft = self._key(), self._random.random() < 0.2
        deleted = json.loads(self._ask({"op": "delete", "ns": ns, "key": key, "soft": soft}))["deleted"]
        if deleted and (ns, key) not in self._stored:
            raise RuntimeError(f"{key} was deleted in {ns}, and had not been stored")
        self.counts[f"{ns} deletes"] += deleted
        if not soft:
            self._stored.pop((ns, key), None)

    def touch(self, ns: str) -> None:
        self._only_if_stored(ns, "touch", '"touched":true')

    def exists(self, ns: str) -> None:
        self._only_if_stored(ns, "exists", '"exists":true')

    def keys(self, ns: str) -> None:
        self._ask({"op": "keys", "ns": ns, "match": f"{self._number}-*", "limit": 50})

    def explain(self, ns: str) -> None:
        self._only_if_stored(ns, "explain", '"state":"fresh"')

    def clear(self, ns: str) -> None:
        # A tenth of everybody's keys; now and then all of them, of every namespace.
        if self._random.random() < 0.02:
            self._ask({"op": "clear", "ns": "*"})
            self._stored.clear()
        else:
            self._ask({"op": "clear", "ns": ns, "match": f"*{self._random.randrange(10)}"})

    def clear_tags(self, ns: str) -> None:
        soft = self._random.random() < 0.3
        self._ask({"op": "clear", "ns": ns, "tags": self._random.sample(TAGS, 2), "soft": soft})

    def _only_if_stored(self, ns: str, op: str, good: str) -> None:
        key = self._key()
        if good in self._ask({"op": op, "ns": ns, "key": key}) and (ns, key) not in self._stored:
            raise RuntimeError(f"{op} knows {key} in {ns}, which was not stored")

    def _check(self, ns: str, key: str, answer: str, line: str) -> None:
        self.counts[f"{ns} asked"] += 1
        if '"hit":true' not in answer[:40]:
            return
        self.counts[f"{ns} hits"] += 1
        stored = self._stored.get((ns, key))
        # `value` is the last member.
        value = answer[answer.index('"value":') + 8 : -1]
        if stored is None or value != stored:
            expected = "nothing" if stored is None else stored[:80]
            raise RuntimeError(f"{key} in {ns} is {value[:80]} and should be {expected}: {line[:200]}")

    def _note(self, ns: str, key: str, value: str) -> None:
        self.counts[f"{ns} sets"] += 1
        self._stored[ns, key] = value

    def _key(self) -> str:
        return f"{self._number}-{self._random.randrange(KEYS)}"

    def _keys(self) -> list[str]:
        return [f"{self._number}-{number}" for number in self._random.sample(range(KEYS), MANY)]

    def _value(self) -> str:
        """A value that no other request stores; most are small, few are large."""
        self._serial += 1
        size = self._random.choices((20, 300, 4000, 60_000, 900_000), (500, 400, 90, 9, 1))[0]
        filler = "x" * self._random.randrange(size)
        return f'{{"worker":{self._number},"serial":{self._serial},"filler":"{filler}"}}'

    def _fields(self) -> str:
        fields = self._random.choice(("", "", ',"ttl":0.05', ',"ttl":600', ',"ttl":null'))
        if self._random.random() < 0.3:
            fields += f',"tags":{json.dumps(self._random.sample(TAGS, self._random.randrange(1, 4)))}'
        return fields

    def _ask(self, request: Answer) -> str:
        return self._send(json.dumps(request, separators=(",", ":")), str(request["op"]))

    def _send(self, line: str, op: str) -> str:
        self.counts[op] += 1
        answer = self._link.exchange(line.encode() + b"\n", 1).decode()
        if not answer.startswith('{"ok":true'):
            raise RuntimeError(f"{line[:300]} was answered {answer[:300]}")
        return answer.rstrip("\n")
