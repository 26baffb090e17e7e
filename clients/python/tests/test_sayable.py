"""What is left out of a transcript where links say it, and why."""

from __future__ import annotations

import pytest
from sayable import by_async, by_sync

import transcripts
from transcripts import Advance, Send, Transcript

TRANSCRIPTS = transcripts.load()


def texts(transcript: Transcript) -> list[str]:
    return [step.text for step in transcript.steps if not isinstance(step, Advance)]


def connections(transcript: Transcript) -> set[str]:
    return {step.connection for step in transcript.steps if not isinstance(step, Advance)}


def written(*lines: str) -> Transcript:
    return transcripts.parse("t", "\n".join(["#! defaults: {jitter: 0}", *lines]))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda transcript: transcript.name)
def test_whole_connections_are_left_out_where_they_watch_or_are_closed(transcript: Transcript) -> None:
    watching = {s.connection for s in transcript.steps if isinstance(s, Send) and '"watch"' in s.text}
    closed = {s.connection for s in transcript.steps if not isinstance(s, Advance) and s.text == "(closed)"}
    assert connections(transcript) - connections(by_sync(transcript)) == watching
    assert connections(transcript) - connections(by_async(transcript)) == watching | closed


def test_some_transcripts_watch_and_some_connections_are_closed() -> None:
    said = [text for transcript in TRANSCRIPTS for text in texts(transcript)]
    assert any('"op":"watch"' in text for text in said)
    assert "(closed)" in said
    assert not any("(closed)" in texts(by_sync(transcript)) for transcript in TRANSCRIPTS)


def test_a_line_with_an_id_goes_with_its_answer_where_the_link_writes_one() -> None:
    transcript = written('--> {"id":1,"op":"ping"}', '<-- {"id":1,"ok":true}', '--> {"op":"ping"}', '<-- {"ok":true}')
    assert texts(by_sync(transcript)) == texts(transcript)
    assert texts(by_async(transcript)) == ['{"op":"ping"}', '{"ok":true}']
    faulty = written('--> {"id":1.5,"op":"ping"}', "<-- {...}", '--> {"op":"ping"}', '<-- {"ok":true}')
    assert texts(by_async(faulty)) == ['{"op":"ping"}', '{"ok":true}']


def test_none_with_an_id_waits_or_overtakes() -> None:
    waiting = written('--> {"op":"get","wait":5}', '--> {"id":1,"op":"ping"}', '<-- {"id":1,"ok":true}', "<-- {...}")
    assert texts(by_sync(waiting)) == ['{"op":"get","wait":5}', "{...}"]
    answered = written('--> {"op":"get","wait":5}', "<-- {...}", '--> {"id":1,"op":"ping"}', '<-- {"id":1,"ok":true}')
    assert texts(by_sync(answered)) == texts(answered)
    own = written('--> {"id":1,"op":"get","wait":5}', '<-- {"id":1,...}')
    assert texts(by_sync(own)) == []


@pytest.mark.parametrize("text", ["hello", "[]", '  {"op":"ping"}', "{}"])
def test_where_there_is_no_place_for_an_id_it_is_not_awaited(text: str) -> None:
    transcript = written(f"--> {text}", "<-- {...}")
    assert texts(by_sync(transcript)) == [text, "{...}"]
    assert texts(by_async(transcript)) == []


def test_an_empty_line_is_not_said() -> None:
    transcript = written("-->", '--> {"op":"ping"}', '<-- {"ok":true}')
    assert texts(by_sync(transcript)) == texts(by_async(transcript)) == ['{"op":"ping"}', '{"ok":true}']
