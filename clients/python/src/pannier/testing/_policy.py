"""What holds for a namespace: its policy's fields, how they are written and shown, and the rules that override some of
them for some keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from . import _settings as kinds
from ._settings import FAULTY, Kind, each_field, fault
from ._text import quoted_list, quoted_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._globs import Glob


class Rule(NamedTuple):
    match: Glob
    overrides: dict[str, Any]


class _Field(NamedTuple):
    """`default` as it is kept: milliseconds, bytes, a share, a word."""

    kind: Kind
    default: Any
    show: Callable[[Any], str]
    in_rule: bool = False


def _number(value: Any) -> str:
    return "0" if value == 0 else repr(value)


def _rules_text(rules: list[Rule]) -> str:
    return f"[{','.join(map(_rule_text, rules))}]"


_LIFE: Final = kinds.duration(1, none="none")
_LARGEST: Final = 1 << 30
# In the order in which policies are shown. What has no effect here, since there is no Redis, is read and shown.
_FIELDS: Final[dict[str, _Field]] = {
    "ttl": _Field(_LIFE, 300_000, seconds_text, in_rule=True),
    "max_ttl": _Field(_LIFE, None, seconds_text, in_rule=True),
    "rules": _Field(Kind("a list of rules", str), [], _rules_text),
    "jitter": _Field(
        kinds.share("a number from 0 to below 1, such as 0.1", may_be_none=False), 0.1, _number, in_rule=True
    ),
    "negative_ttl": _Field(_LIFE, None, seconds_text, in_rule=True),
    "stale": _Field(kinds.duration(0), 0, seconds_text, in_rule=True),
    "refresh_ahead": _Field(
        kinds.share("a number above 0 and below 1, such as 0.8", may_be_none=True), None, _number, in_rule=True
    ),
    "lease_timeout": _Field(kinds.duration(1), 30_000, seconds_text, in_rule=True),
    "max_wait": _Field(kinds.duration(0, none="none"), None, seconds_text, in_rule=True),
    "retry_after": _Field(kinds.duration(0, 3_600_000), 5000, seconds_text, in_rule=True),
    "tiers": _Field(kinds.word("memory", "redis"), ["memory", "redis"], quoted_list),
    "memory_ttl": _Field(_LIFE, None, seconds_text, in_rule=True),
    "write": _Field(kinds.word("aside", "through", "behind"), "aside", quoted_text),
    "behind.interval": _Field(kinds.duration(1, 86_400_000), 100, seconds_text),
    "behind.max_pending": _Field(kinds.count(10_000_000), 10_000, _number),
    "lease_scope": _Field(kinds.word("host", "fleet"), "host", quoted_text),
    "on_link_loss": _Field(kinds.word("serve", "verify"), "serve", quoted_text),
    "max_bytes": _Field(kinds.number_of_bytes(1 << 44, none="none"), None, _number),
    "max_entries": _Field(kinds.count((1 << 32) - 1, none="none"), None, _number),
    "max_value_bytes": _Field(kinds.number_of_bytes(_LARGEST), 1 << 20, _number),
    "eviction": _Field(kinds.word("lru"), "lru", quoted_text),
    "compress.min_bytes": _Field(kinds.number_of_bytes(_LARGEST, none="off"), 1024, _number),
    "mode": _Field(kinds.word("on", "bypass", "read_only", "off"), "on", quoted_text),
}
_STRATEGIES: Final[dict[str, dict[str, Any]]] = {
    "cache_aside": {"write": "aside"},
    "write_through": {"write": "through"},
    "write_behind": {"write": "behind"},
    "refresh_ahead": {"write": "aside", "refresh_ahead": 0.8},
}


class Policy:
    """Values by field, settled."""

    def __init__(self, *patches: Patch) -> None:
        self.values: dict[str, Any] = {name: field.default for name, field in _FIELDS.items()}
        for patch in patches:
            self.values.update(patch.values)

    def for_key(self, key: str) -> dict[str, Any]:
        """The first rule whose glob fits overrides some of them."""
        for rule in self.values["rules"]:
            if rule.match.fits(key):
                return {**self.values, **rule.overrides}
        return self.values

    @property
    def stores(self) -> bool:
        return bool(self.values["mode"] == "on")

    @property
    def hides(self) -> bool:
        """Reads miss, whatever is there."""
        return self.values["mode"] in ("bypass", "off")

    def json(self) -> str:
        sections: dict[str, str] = {}
        for name, field in _FIELDS.items():
            section, _, local = name.partition(".")
            text = "null" if self.values[name] is None else field.show(self.values[name])
            if local and text != "null":
                text = (
                    f'{sections[section][:-1]},"{local}":{text}}}' if section in sections else f'{{"{local}":{text}}}'
                )
            sections[section] = text
        return f"{{{','.join(f'{quoted_text(name)}:{text}' for name, text in sections.items())}}}"


class Patch:
    """The fields that somebody wrote down. A strategy is short for some; one that is written wins, wherever it
    stands.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._implied: set[str] = set()

    @classmethod
    def read(cls, written: object, faults: list[str], path: str = "") -> Patch:
        patch = cls()

        def visit(name: str, value: object, place: str) -> None:
            if name == "strategy":
                patch._take_strategy(value, place, faults)
            elif name == "rules":
                patch._take(name, _read_rules(value, place, faults))
            elif name == "tiers":
                patch._take(name, _read_tiers(value, place, faults))
            elif name in _FIELDS:
                patch._take(name, _FIELDS[name].kind.read(value, place, faults))
            elif name == "compress" and (value is None or value in ("off", "none")):
                patch._take("compress.min_bytes", None)
            else:
                own = [field.partition(".")[2] for field in _FIELDS if field.startswith(f"{name}.")]
                each_field(
                    value,
                    own,
                    place,
                    faults,
                    lambda part, value, place: patch._take(
                        f"{name}.{part}", _FIELDS[f"{name}.{part}"].kind.read(value, place, faults)
                    ),
                )

        each_field(written, _names(), path, faults, visit)
        return patch

    def merged(self, newer: Patch) -> Patch:
        result = Patch()
        result.values = {**self.values, **newer.values}
        return result

    def _take(self, name: str, value: object) -> None:
        if value is not FAULTY:
            self.values[name] = value
            self._implied.discard(name)

    def _take_strategy(self, value: object, path: str, faults: list[str]) -> None:
        found = kinds.word(*_STRATEGIES).read(value, path, faults)
        for name, implied in _STRATEGIES.get(str(found), {}).items():
            if name not in self.values:
                self.values[name] = implied
                self._implied.add(name)


def _names() -> list[str]:
    names = list(dict.fromkeys(name.partition(".")[0] for name in _FIELDS))
    names.insert(names.index("write") + 1, "strategy")
    return names


def _read_list(written: object, path: str, faults: list[str], expected: str) -> list[object] | None:
    if written is None:
        return []
    if isinstance(written, list):
        return cast("list[object]", written)
    fault(faults, path, f"expected {expected}, found {kinds.described(written)}")
    return None


def _read_tiers(written: object, path: str, faults: list[str]) -> object:
    found = _read_list(written, path, faults, "a list such as [memory, redis]")
    if found is None:
        return FAULTY
    read = [_FIELDS["tiers"].kind.read(tier, f"{path}[{index}]", faults) for index, tier in enumerate(found)]
    if not read:
        return fault(faults, path, "expected memory, redis, or both, found an empty list")
    return FAULTY if FAULTY in read else [tier for tier in ("memory", "redis") if tier in read]


def _read_rules(written: object, path: str, faults: list[str]) -> object:
    found = _read_list(written, path, faults, 'a list of rules such as [{match: "user:*", ttl: 10m}]')
    if found is None:
        return FAULTY
    read = [_read_rule(rule, f"{path}[{index}]", faults) for index, rule in enumerate(found)]
    return FAULTY if None in read else read


def _read_rule(written: object, path: str, faults: list[str]) -> Rule | None:
    if not isinstance(written, dict):
        fault(faults, path, f'expected a rule such as {{match: "user:*", ttl: 10m}}, found {kinds.described(written)}')
        return None
    values: dict[str, Any] = {}

    def visit(name: str, value: object, place: str) -> None:
        kind = kinds.glob() if name == "match" else _FIELDS[name].kind
        values[name] = kind.read(value, place, faults)

    names = ["match", *(name for name, field in _FIELDS.items() if field.in_rule)]
    each_field(cast("object", written), names, path, faults, visit)
    if "match" not in values:
        fault(faults, path, 'a rule needs "match", the glob of the keys that it is for')
        return None
    match = values.pop("match")
    return None if match is FAULTY or FAULTY in values.values() else Rule(match, values)


def _rule_text(rule: Rule) -> str:
    shown = [f'"match":{quoted_text(rule.match.pattern)}']
    for name, field in _FIELDS.items():
        if name in rule.overrides:
            value = rule.overrides[name]
            shown.append(f'"{name}":{"null" if value is None else field.show(value)}')
    return f"{{{','.join(shown)}}}"
