"""Keys for calls of language models."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pannier import KeySpellingError, llm_key

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Was ist π?"}]


def test_the_same_request_has_the_same_key_however_it_is_put() -> None:
    key = llm_key("gpt-4o", MESSAGES, temperature=0, max_tokens=100, top_p=0.9)
    model, digits = key.rsplit(":", 1)
    assert model == "gpt-4o"
    assert len(digits) == 64
    turned = [dict(reversed(message.items())) for message in MESSAGES]
    assert key == llm_key("gpt-4o", tuple(turned), top_p=0.9, max_tokens=100.0, temperature=-0.0)
    assert key == llm_key(
        "gpt-4o", MESSAGES, temperature=0, max_tokens=100, top_p=0.9, stop=None, stream=True, user="u"
    )


def test_it_is_the_same_in_every_version_and_process() -> None:
    # sha256 of {"messages":"hi","model":"m"}, by sha256sum.
    assert llm_key("m", "hi") == "m:f3453a0f50beb170610ff917d5c14472cd854432d601c8c6a923cb47370d96d2"


@pytest.mark.parametrize(
    "other",
    [
        ("gpt-4o-mini", MESSAGES, {"temperature": 0}),
        ("gpt-4o", MESSAGES[:1], {"temperature": 0}),
        ("gpt-4o", MESSAGES[::-1], {"temperature": 0}),
        ("gpt-4o", MESSAGES, {"temperature": False}),
        ("gpt-4o", MESSAGES, {"temperature": 0, "seed": 1}),
        ("gpt-4o", MESSAGES, {}),
    ],
)
def test_another_request_has_another_key(other: tuple[str, list[object], dict[str, object]]) -> None:
    model, messages, params = other
    assert llm_key(model, messages, **cast("Any", params)) != llm_key("gpt-4o", MESSAGES, temperature=0)


def test_a_random_answer_is_refused_unless_told() -> None:
    with pytest.raises(ValueError, match=r"0\.7 answers differently each time"):
        llm_key("m", "hi", temperature=0.7)
    assert llm_key("m", "hi", temperature=0.7, allow_random=True) != llm_key("m", "hi")


def test_what_is_no_json_is_refused_by_its_place() -> None:
    with pytest.raises(KeySpellingError, match=r"the request.messages\[0\].content: a bytes isn't JSON"):
        llm_key("m", [{"content": b"raw"}])
    with pytest.raises(KeySpellingError, match="JSON has no nan"):
        llm_key("m", "hi", top_p=float("nan"))
    with pytest.raises(KeySpellingError, match="1 is no name of a member"):
        llm_key("m", [{1: "x"}])
