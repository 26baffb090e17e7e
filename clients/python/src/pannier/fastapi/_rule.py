"""What a route or a path says of its answers: for how long they are kept, and for whom. It knows no requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pannier._durations import seconds
from pannier._given import listed
from pannier._loads import DEFAULT_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from starlette.requests import Request

    from pannier._durations import Duration

    UserKey = Callable[[Request], Any]

# Statuses that a cache may keep where nothing says how long they last (RFC 9110, 15.1), but for 206.
KEEPABLE_STATUSES: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
DEFAULT_STATUSES: Final = frozenset({200, 203, 301, 308})
# Of the sixteen that a value may have, two are its path's.
MOST_TAGS: Final = 14
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")

DEFAULT_NAMESPACE: Final = "http"
# Every namespace that a rule of this process names: a change ends what is kept in any of them.
namespaces: set[str] = set()


class Rule:
    """`ttl`: how long an answer is fresh that doesn't say so itself; None: only those that do are kept.

    `swr`: for so long after that it is still shown, while one of the host's callers renews it
    (stale-while-revalidate). `sie`: for so long it stands in for a handler that fails (stale-if-error). `vary`:
    request headers that the answer depends on, besides those in its Vary. `tags`: by which it can be ended.
    `user_key(request)`: whose answer it is; None: nobody's, and it isn't kept. `public`: it is the same for all,
    whatever cookies and authorization they send. `max_age`: what clients are told, where the handler says nothing;
    None: to ask each time. `statuses`: those kept. `cache_name`: the sidecar's namespace. `wait`: for how long a
    request waits for another's run of the handler.
    """

    __slots__ = (
        "cache_name",
        "max_age",
        "name",
        "public",
        "sie",
        "statuses",
        "swr",
        "tags",
        "ttl",
        "user_key",
        "vary",
        "wait",
    )

    def __init__(
        self,
        ttl: Duration | None = None,
        *,
        swr: Duration | None = None,
        sie: Duration | None = None,
        vary: Sequence[str] = (),
        tags: Sequence[str] = (),
        user_key: UserKey | None = None,
        public: bool = False,
        max_age: Duration | None = None,
        statuses: Collection[int] = DEFAULT_STATUSES,
        cache_name: str = DEFAULT_NAMESPACE,
        wait: Duration = DEFAULT_WAIT,
    ) -> None:
        if public and user_key is not None:
            raise TypeError("an answer is either public or of a user: give `public` or `user_key`, not both")
        # Of a route's function or a path, for the log.
        self.name = "a rule"
        self.ttl = None if ttl is None else seconds(ttl)
        self.swr = 0.0 if swr is None else seconds(swr)
        self.sie = 0.0 if sie is None else seconds(sie)
        self.vary = _field_names(vary)
        self.tags = listed("tags", tags)
        self.user_key = user_key
        self.public = public
        self.max_age = None if max_age is None else seconds(max_age)
        self.statuses = _keepable(statuses)
        self.cache_name = cache_name
        self.wait = seconds(wait)
        if len(self.tags) > MOST_TAGS:
            raise ValueError(f"{len(self.tags)} tags: expected at most {MOST_TAGS}")
        namespaces.add(cache_name)


class PathRules:
    """Rules by path: `*` stands for any run of characters, `?` for one. The first that fits holds."""

    __slots__ = ("_default", "_rules")

    def __init__(self, default: Rule | Duration | None, rules: Mapping[str, Rule | Duration | None]) -> None:
        self._default = _rule("the default rule", default)
        self._rules = [(_compiled(glob), _rule(glob, given)) for glob, given in rules.items()]

    def of(self, path: str) -> Rule | None:
        for pattern, rule in self._rules:
            if pattern.match(path):
                return rule
        return self._default


def _rule(name: str, given: Rule | Duration | None) -> Rule | None:
    if given is None:
        return None
    rule = given if isinstance(given, Rule) else Rule(given)
    if any("{" in tag for tag in rule.tags):
        raise TypeError(f"{list(rule.tags)}: tags of a path have no fields: `@http_cache` on its route has")
    rule.name = name
    return rule


def _compiled(glob: str) -> re.Pattern[str]:
    if not glob.startswith(("/", "*")):
        raise ValueError(f"{glob!r} fits no path: expected one that begins with a slash, or with a star")
    text = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in glob)
    return re.compile(text + r"\Z", re.DOTALL)


def _field_names(names: Sequence[str]) -> tuple[str, ...]:
    for name in listed("vary", names):
        if name == "*" or not _FIELD_NAME.match(name):
            raise ValueError(f"vary: {name!r} is no name of a header")
    return tuple(name.lower() for name in names)


def _keepable(statuses: Collection[int]) -> frozenset[int]:
    unknown = sorted(set(statuses) - KEEPABLE_STATUSES)
    if unknown:
        raise ValueError(f"statuses {unknown} are never kept: expected some of {sorted(KEEPABLE_STATUSES)}")
    return frozenset(statuses)
