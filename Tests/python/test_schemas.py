"""The schemas alone, with no daemon: every op has them, every line of the transcripts fits, and wrong lines don't."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import schemas
import transcripts

if TYPE_CHECKING:
    from schemas import Json

SPECIFICATION = Path(__file__).parents[2] / "protocol" / "PROTOCOL.md"

# What stands for one value: it is tried with a number and with a string. Within a string it is only text.
_FILLINGS = ("1", '"x"')
_STRING_OR_HOLE = re.compile(r'"(?:[^"\\]|\\.)*"|((?<=[:\[])\.\.\.)')


class Shown(NamedTuple):
    """A request and its answer as a transcript has them, with its holes."""

    place: str
    exchange: schemas.Exchange


@cache
def shown() -> list[Shown]:
    found: list[Shown] = []
    for transcript in transcripts.load():
        pairings: dict[str, schemas.Pairing] = {}
        for step in transcript.steps:
            if isinstance(step, transcripts.Send) and step.text:
                pairings.setdefault(step.connection, schemas.Pairing()).sent(step.text)
            elif isinstance(step, transcripts.Expect) and not step.text.startswith("("):
                parsed = _head(step.text)
                exchange = pairings[step.connection].received(step.text, parsed)
                found.append(Shown(f"{transcript.name}:{step.line}", exchange))
    return found


def _head(answer: str) -> Json:
    """What pairing has to know of an answer: whether it is an event, and its id."""
    if answer.startswith('{"event":'):
        return {"event": ""}
    found = re.match(r'\{"id":("(?:[^"\\]|\\.)*"|[0-9-]+),', answer)
    return {"id": schemas.parse(found[1])} if found else {}


def _filled(line: str, filling: str) -> str:
    named = transcripts.substitute(line, lambda _name: filling)
    return _STRING_OR_HOLE.sub(lambda found: filling if found[1] else found[0], named)


def _is_open(line: str) -> bool:
    """Whether a hole stands for whole members, so that only the line as it is received can be judged."""
    try:
        schemas.parse(_filled(line, "1"))
    except ValueError:
        return True
    return False


def _best(exchange: schemas.Exchange) -> tuple[schemas.Exchange, Json, list[str]]:
    """The exchange with its holes filled by what suits them best."""
    tried: list[tuple[schemas.Exchange, Json, list[str]]] = []
    for in_request, in_answer in product(_FILLINGS, _FILLINGS):
        request = None if exchange.request is None else _filled(exchange.request, in_request)
        filled = schemas.Exchange(request, _filled(exchange.answer, in_answer))
        parsed = schemas.parse(filled.answer)
        tried.append((filled, parsed, schemas.judge(filled, parsed)))
    return min(tried, key=lambda attempt: len(attempt[2]))


def test_every_op_of_the_specification_has_both_schemas() -> None:
    text = SPECIFICATION.read_text(encoding="utf-8")
    ops = set(re.findall(r"^### ([a-z]+)$", text, re.MULTILINE))
    assert {"hello", "get", "watch", "advance"} <= ops
    with_schema = {name.split(".")[0] for name in schemas.names() if name not in ("error.answer", "event")}
    assert with_schema == ops
    assert set(schemas.names()) == {f"{op}.{side}" for op in ops for side in ("request", "answer")} | {
        "error.answer",
        "event",
    }


def test_every_op_is_shown_by_a_transcript() -> None:
    answered = {
        str(parsed.get("op"))
        for one in shown()
        if one.exchange.request and '"ok":true' in one.exchange.answer
        for parsed in [schemas.parse(_filled(one.exchange.request, "1"))]
        if isinstance(parsed, dict)
    }
    assert answered == {name.removesuffix(".request") for name in schemas.names() if name.endswith(".request")}


@pytest.mark.parametrize("one", shown(), ids=lambda one: one.place)
def test_every_line_fits(one: Shown) -> None:
    if _is_open(one.exchange.answer):
        # The answer is judged as it is received, in test_transcripts; here only what asked for it.
        assert one.exchange.request is not None
        parsed = schemas.parse(one.exchange.request)
        assert isinstance(parsed, dict)
        assert schemas.faults(f"{parsed['op']}.request", parsed) == []
        return
    assert _best(one.exchange)[2] == []


def _objects(instance: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where objects are whose members the protocol names: all but those in a value, and the list of namespaces."""
    found: list[tuple[str | int, ...]] = []
    if isinstance(instance, dict):
        if not path or path[-1] != "namespaces":
            found.append(path)
        for name, member in instance.items():
            if name != "value":
                found.extend(_objects(member, (*path, name)))
    elif isinstance(instance, list):
        for index, element in enumerate(instance):
            found.extend(_objects(element, (*path, index)))
    return found


def _with_unknown_field(instance: Json, path: tuple[str | int, ...]) -> Json:
    if not path:
        assert isinstance(instance, dict)
        return {**instance, "zzz": 1}
    step, rest = path[0], path[1:]
    if isinstance(instance, dict):
        return {
            name: _with_unknown_field(member, rest) if name == step else member for name, member in instance.items()
        }
    assert isinstance(instance, list)
    return [_with_unknown_field(element, rest) if index == step else element for index, element in enumerate(instance)]


def test_an_unknown_field_never_fits() -> None:
    tried = 0
    for one in shown():
        if _is_open(one.exchange.answer):
            continue
        exchange, answer, _ = _best(one.exchange)
        lines: list[tuple[str, Json]] = []
        if exchange.request is None:
            lines.append(("event", answer))
        elif '"ok":false' in exchange.answer:
            lines.append(("error.answer", answer))
        else:
            request = schemas.parse(exchange.request)
            assert isinstance(request, dict)
            lines += [(f"{request['op']}.request", request), (f"{request['op']}.answer", answer)]
        for name, instance in lines:
            for path in _objects(instance):
                tried += 1
                assert schemas.faults(name, _with_unknown_field(instance, path)), (one.place, name, path)
    assert tried > 500


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("get.request", '{"op":"get","ns":"q"}'),
        ("get.request", '{"op":"get","ns":"q","key":"a","keys":["b"]}'),
        ("get.request", '{"op":"get","ns":"q","keys":[]}'),
        ("get.request", '{"op":"set","ns":"q","key":"a"}'),
        ("get.request", '{"op":"get","ns":"a b","key":"a"}'),
        ("get.request", '{"op":"get","ns":"*","key":"a"}'),
        ("get.request", '{"op":"get","ns":"q","key":""}'),
        ("get.request", '{"op":"get","ns":"q","key":"a","meta":1}'),
        ("get.request", '{"op":"get","ns":"q","key":"a","unless":9007199254740992}'),
        ("get.answer", '{"ok":true}'),
        ("get.answer", '{"ok":true,"hit":true}'),
        ("get.answer", '{"ok":true,"hit":false,"value":1}'),
        ("get.answer", '{"ok":true,"hit":true,"same":true,"value":1}'),
        ("get.answer", '{"ok":true,"hit":true,"ttl":1,"value":1}'),
        ("get.answer", '{"ok":true,"hit":true,"stale":false,"value":1}'),
        ("get.answer", '{"ok":false,"hit":false}'),
        ("set.request", '{"op":"set","ns":"q","key":"a"}'),
        ("set.request", '{"op":"set","ns":"q","key":"a","value":1,"ttl":0}'),
        ("set.request", '{"op":"set","ns":"q","key":"a","value":1,"ttl":315360001}'),
        ("set.request", '{"op":"set","ns":"q","key":"a","value":1,"if":{}}'),
        ("set.request", '{"op":"set","ns":"q","key":"a","value":1,"items":[{"key":"a","value":1}]}'),
        ("set.request", '{"op":"set","ns":"q","items":[{"key":"a","value":1}],"ttl":5}'),
        ("set.answer", '{"ok":true,"stored":false}'),
        ("set.answer", '{"ok":true,"stored":true,"reason":"exists"}'),
        ("clear.request", '{"op":"clear","ns":"q","match":"*","tags":["a"]}'),
        ("clear.request", '{"op":"clear","ns":"q","tags":[]}'),
        ("policy.request", '{"op":"policy","ns":"q","set":{"ttl":"soon"}}'),
        ("policy.request", '{"op":"policy","ns":"q","set":{"jitter":1}}'),
        ("explain.answer", '{"ok":true,"state":"fresh"}'),
        ("explain.answer", '{"ok":true,"state":"absent","reason":"expired","by":{"pid":1,"age":0}}'),
        ("watch.request", '{"op":"watch","events":["sett"]}'),
        ("watch.request", '{"op":"watch","sample":1.1}'),
        ("error.answer", '{"ok":false,"error":{"code":"oops","message":"x"}}'),
        ("error.answer", '{"ok":true,"error":{"code":"bad_json","message":"x"}}'),
        ("event", '{"event":"get","ns":"q","key":"a"}'),
        ("event", '{"event":"set","ns":"q","key":"a","pid":1,"size":1}'),
        ("event", '{"event":"dropped","count":0}'),
    ],
)
def test_a_wrong_line_does_not_fit(name: str, line: str) -> None:
    assert schemas.faults(name, schemas.parse(line))


def test_judging_finds_a_refusal_of_a_good_request_and_an_answer_of_another_op() -> None:
    refusal = '{"ok":false,"error":{"code":"bad_request","message":"no"}}'
    assert schemas.judge(schemas.Exchange('{"op":"ping"}', refusal), schemas.parse(refusal))
    assert not schemas.judge(schemas.Exchange('{"op":"ping","x":1}', refusal), schemas.parse(refusal))
    assert schemas.judge(schemas.Exchange('{"op":"ping"}', '{"ok":true,"hit":false}'), {"ok": True, "hit": False})
    assert schemas.judge(schemas.Exchange("nonsense", '{"ok":true}'), {"ok": True})
