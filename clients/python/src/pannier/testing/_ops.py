"""Each op: what it asks of namespaces and loads, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _admin as admin
from . import _answers as answers
from ._changes import Changes, covered
from ._entries import NEVER_STORED
from ._globs import LONGEST_BYTES, Glob
from ._items import admit, many_items, one_item
from ._listing import page
from ._reads import Options
from ._refusal import RefusalError
from ._text import quoted_list, quoted_text
from ._waits import Get

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from ._entries import Namespace
    from ._request import Request
    from ._session import Session
    from ._sidecar import Sidecar

_SAMPLE = 10
# An escape, and the quotes and comma of a short key.
_MOST_PER_KEY_BYTE = 9
# Of a pause, in seconds.
_LONGEST_PAUSE = 3600


class Asked:
    """A request, and who asks."""

    __slots__ = ("_counts", "_op", "fields", "id", "session")

    def __init__(self, request: Request, session: Session, counts: dict[str, int]) -> None:
        self.fields = request.fields
        self.id = request.id
        self.session = session
        self._op = request.op
        self._counts = counts

    def accept(self) -> None:
        """Nothing is wrong with it in itself."""
        self._counts[self._op] += 1


class Ops:
    def __init__(self, sidecar: Sidecar, random: Random) -> None:
        self._sidecar = sidecar
        self._world = sidecar.world
        self._changes = Changes(sidecar.loads, sidecar.log, random)

        self._by_name: dict[str, Callable[[Asked], str | bytes | None]] = {
            "hello": self._hello,
            "ping": self._ping,
            "get": self._get,
            "set": self._set,
            "release": self._release,
            "delete": self._delete,
            "touch": self._touch,
            "exists": self._exists,
            "keys": self._keys,
            "clear": self._clear,
            "stats": self._stats,
            "policy": self._policy,
            "explain": self._explain,
            "watch": self._watch,
            "advance": self._advance,
        }

    def perform(self, request: Request, session: Session) -> None:
        """Answers, now or later; a RefusalError says why not."""
        said = self._by_name[request.op](Asked(request, session, self._sidecar.requests))
        if said is not None:
            session.hear(answers.answer(request.id, said))

    @property
    def _now(self) -> int:
        return self._sidecar.now

    # MARK: Reads

    def _get(self, asked: Asked) -> None:
        fields = asked.fields
        name, keys = fields.namespace(), fields.one_or_more_keys()
        lease, wait, stale = fields.flag("lease"), fields.span("wait") or 0, fields.flag("stale")
        meta, max_age, unless = fields.flag("meta"), fields.span("max_age"), fields.version("unless")
        fields.flag("strict")
        asked.accept()
        options = Options(stale=stale, max_age=max_age, unless=unless, lease=lease, waits=wait > 0, meta=meta)
        ns = self._world.use(name)
        get = Get(asked.session, asked.id, ns, keys, options, self._now, wait, is_many="keys" in fields)
        self._sidecar.waits.get(get, self._now)

    def _exists(self, asked: Asked) -> str:
        fields = asked.fields
        name, key = fields.namespace(), fields.one_key()
        asked.accept()
        ns = self._world.known(name)
        entry = ns.standing(key, self._now) if ns is not None and not ns.policy.hides else None
        return f',"exists":{_flag(entry is not None and self._now < entry.fresh_until)}'

    def _explain(self, asked: Asked) -> str:
        fields = asked.fields
        name, key = fields.namespace(), fields.one_key()
        asked.accept()
        ns = self._world.known(name)
        if ns is None:
            return answers.absent(NEVER_STORED, self._now)
        entry = ns.standing(key, self._now)
        said = answers.present(entry, self._now) if entry else answers.absent(ns.why_gone(key), self._now)
        return said + answers.loading(self._sidecar.loads.find(ns, key, self._now), self._now)

    def _keys(self, asked: Asked) -> str:
        fields = asked.fields
        items = self._sidecar.limits.items
        expected = f"a whole number from 1 to {items} (limits.items)"
        limit = fields.whole("limit", 1, items, expected) or min(100, items)
        name = fields.namespace()
        match = fields.text("match") if "match" in fields else None
        after = fields.text("after") if "after" in fields else None
        asked.accept()
        glob = _glob(match)
        ns = self._world.known(name)
        if ns is None:
            return ',"keys":[]'
        room = self._sidecar.limits.line_bytes // _MOST_PER_KEY_BYTE
        keys, following = page(ns, glob, limit, room, after, self._now)
        return f',"keys":{quoted_list(keys)}' + (f',"next":{quoted_text(following)}' if following else "")

    # MARK: Changes

    def _set(self, asked: Asked) -> bytes:
        fields = asked.fields
        name = fields.namespace()
        is_many = "items" in fields
        items = many_items(fields) if is_many else [one_item(fields)]
        asked.accept()
        there = self._world.namespaces.get(name)
        policy = there.policy if there else self._world.policy(name)
        for index, item in enumerate(items):
            admit(item, policy, f"items[{index}]." if is_many else "")
        ns = self._world.use(name)
        parts = [answers.stored(self._changes.set(ns, item, asked.session.caller, self._now)) for item in items]
        return answers.items(parts) if is_many else parts[0]

    def _release(self, asked: Asked) -> str:
        fields = asked.fields
        if "lease" not in fields:
            raise RefusalError("bad_request", 'release needs "lease", the token that get gave')
        failed, passed = fields.flag("failed"), fields.flag("pass")
        if failed and passed:
            raise RefusalError("bad_request", 'release takes "failed" or "pass", not both')
        if "retry_after" in fields and not failed and not passed:
            raise RefusalError(
                "bad_request", '"retry_after" goes with "failed" or "pass": without, another may load at once'
            )
        retry = fields.span("retry_after", _LONGEST_PAUSE)
        name, key, token = fields.namespace(), fields.one_key(), fields.text("lease")
        asked.accept()
        ns = self._world.known(name)
        end = "failed" if failed else "passed" if passed else "released"
        released = ns is not None and self._sidecar.loads.release(ns, key, token, end, retry, self._now)
        return f',"released":{_flag(released)}'

    def _delete(self, asked: Asked) -> str:
        fields = asked.fields
        name, keys, soft = fields.namespace(), fields.one_or_more_keys(), fields.flag("soft")
        asked.accept()
        ns = self._world.known(name)
        # A soft one finds a key that is named twice stale, and counts it once all the same.
        deleted = {
            key for key in keys if ns and self._changes.delete(ns, key, asked.session.caller, self._now, soft=soft)
        }
        return f',"deleted":{len(deleted)}'

    def _touch(self, asked: Asked) -> str:
        fields = asked.fields
        name, key, ttl, stale = fields.namespace(), fields.one_key(), fields.ttl(), fields.span("stale")
        asked.accept()
        ns = self._world.known(name)
        touched = ns is not None and self._changes.touch(ns, key, ttl, stale, self._now)
        return f',"touched":{_flag(touched)}'

    def _clear(self, asked: Asked) -> str:
        fields = asked.fields
        if "match" in fields and "tags" in fields:
            raise RefusalError("bad_request", 'clear takes "match" or "tags", not both')
        tags = fields.tags()
        if "tags" in fields and not tags:
            raise RefusalError("bad_request", '"tags" is empty; name at least one')
        name, match = fields.namespace(), fields.text("match") if "match" in fields else None
        soft, dry_run = fields.flag("soft"), fields.flag("dry_run")
        asked.accept()
        in_flight = asked.session.in_flight
        if asked.id is not None and in_flight >= self._sidecar.limits.in_flight:
            raise RefusalError("overloaded", f"{in_flight} requests are in flight (limits.in_flight)")
        glob = _glob(match)
        namespaces = self._covered(name)
        if dry_run:
            found = [entry.key for ns in namespaces for entry, _ in covered(ns, glob, tags, self._now)]
            return f',"cleared":{len(found)},"sample":{quoted_list(found[:_SAMPLE])}'
        by = asked.session.caller
        cleared = sum(self._changes.clear(ns, glob, tags, by, self._now, soft=soft) for ns in namespaces)
        for ns in namespaces:
            self._changes.clear_loads(ns, glob, tags, self._now)
        return f',"cleared":{cleared}'

    def _covered(self, name: str) -> list[Namespace]:
        if name == "*":
            return list(self._world.namespaces.values())
        ns = self._world.known(name)
        return [] if ns is None else [ns]

    # MARK: The server

    def _ping(self, asked: Asked) -> str:
        asked.accept()
        return ""

    def _hello(self, asked: Asked) -> str:
        fields = asked.fields
        admin.check_client(fields)
        asked.accept()
        return admin.hello(self._sidecar)

    def _stats(self, asked: Asked) -> str:
        fields = asked.fields
        name = fields.namespace() if "ns" in fields else None
        asked.accept()
        return admin.stats(self._sidecar, name)

    def _watch(self, asked: Asked) -> str:
        fields = asked.fields
        watch = admin.watch(fields, asked.accept)
        asked.session.watch = watch
        return ',"watching":true'

    def _policy(self, asked: Asked) -> str:
        fields = asked.fields
        patch_node = admin.policy_node(fields)
        name = fields.namespace()
        asked.accept()
        policy = self._world.policy(name)
        if patch_node is not None:
            patch = admin.policy_patch(patch_node)
            ns = self._world.use(name)
            policy = self._world.change(name, patch)
            self._changes.set_policy(ns, policy, asked.session.caller, self._now)
        return f',"policy":{policy.json()}'

    def _advance(self, asked: Asked) -> str:
        fields = asked.fields
        span = admin.advance_span(fields)
        asked.accept()
        if not self._sidecar.advance(span):
            raise RefusalError("bad_request", '"seconds" would move the clock more than 14 years beyond its start')
        return ""


def _flag(flag: bool) -> str:
    return "true" if flag else "false"


def _glob(pattern: str | None) -> Glob | None:
    if pattern is None:
        return None
    length = len(pattern.encode())
    if length > LONGEST_BYTES:
        raise RefusalError("bad_request", f'"match" has {length} bytes; a glob may have {LONGEST_BYTES}')
    try:
        return Glob(pattern)
    except ValueError:
        raise RefusalError(
            "bad_request",
            '"match" is no glob: it knows * ? [abc] [!a-z], and \\ before a character meant as itself',
        ) from None
