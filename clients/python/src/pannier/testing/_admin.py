"""What operators and clients ask of the server itself: hello, stats, policy, watch. What only a process has is told of
as nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import _answers as answers
from ._events import KINDS
from ._policy import Patch
from ._refusal import RefusalError, nearest
from ._session import Watch
from ._settings import from_json
from ._text import quoted_text, seconds_text
from ._world import check_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._fields import Fields
    from ._json import Node
    from ._sidecar import Sidecar

_FEATURES: Final = (
    "tags",
    "stale",
    "soft",
    "conditional",
    "max_age",
    "unless",
    "dry_run",
    "watch",
    "lease",
    "test_clock",
)
_CLIENT_BYTES: Final = 128
# Of a policy's changes, in bytes.
_LARGEST_JSON: Final = 64 << 10
# A message that lists more is read by nobody.
_FAULTS_SHOWN: Final = 10


def check_client(fields: Fields) -> None:
    if "client" in fields and len(fields.text("client").encode()) > _CLIENT_BYTES:
        raise RefusalError("bad_request", f'"client" has more than {_CLIENT_BYTES} bytes')


def hello(sidecar: Sidecar) -> str:
    from pannier import __version__

    limits = ",".join(f'"{name}":{value}' for name, value in sidecar.limits.shown().items())
    features = ",".join(map(quoted_text, _FEATURES))
    return f',"server":"pannier/{__version__}","protocol":1,"limits":{{{limits}}},"features":[{features}]'


def stats(sidecar: Sidecar, name: str | None) -> str:
    if name is not None:
        check_name(name)
    shown = [ns for ns in sidecar.world.namespaces.values() if name in (None, ns.name)]
    namespaces = ",".join(f"{quoted_text(ns.name)}:{answers.statistics(ns)}" for ns in shown)
    return "".join(
        [
            f',"uptime":{seconds_text(sidecar.now)},"connections":{len(sidecar.sessions)},"resident":0',
            f',"memory":{{"used":{sidecar.world.used},"limit":{sidecar.world.memory}}}',
            answers.requests(sidecar.requests, sidecar.errors),
            ',"loop_delay":{"p50":0,"p99":0,"max":0}',
            f',"namespaces":{{{namespaces}}}',
        ]
    )


def watch(fields: Fields, accept: Callable[[], None]) -> Watch:
    names = fields.strings("events", 64, "a list of strings") if "events" in fields else list(KINDS)
    share = fields.share("sample")
    ns = fields.namespace() if "ns" in fields else None
    accept()
    if ns is not None:
        check_name(ns)
    for name in names:
        if name not in KINDS:
            near = nearest(name, list(KINDS))
            hint = f', did you mean "{near}"?' if near else f"; there are: {', '.join(KINDS)}"
            raise RefusalError("bad_request", f'unknown event "{name}"{hint}')
    return Watch(ns, names, share)


def policy_node(fields: Fields) -> Node | None:
    if "set" not in fields:
        return None
    node = fields.members["set"]
    if node.kind != "object":
        raise RefusalError("bad_request", '"set" must be an object of policy fields')
    if not node.has_whole_characters():
        raise RefusalError("bad_json", '"set" has half of a surrogate pair')
    return node


def policy_patch(node: Node) -> Patch:
    faults: list[str] = []
    patch = Patch()
    if len(node.raw.encode()) > _LARGEST_JSON:
        faults.append("a policy can have at most 64KiB here")
    else:
        patch = Patch.read(from_json(node, faults), faults)
    if not faults:
        return patch
    more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    raise RefusalError("bad_request", "; ".join(faults[:_FAULTS_SHOWN]) + more)


def advance_span(fields: Fields) -> int:
    problem = 'advance needs "seconds", a number from 0 to 315360000'
    try:
        span = fields.span("seconds")
    except RefusalError:
        raise RefusalError("bad_request", problem) from None
    if span is None:
        raise RefusalError("bad_request", problem)
    return span
