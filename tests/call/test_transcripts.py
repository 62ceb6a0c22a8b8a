"""What the upstream wrote down, against what was said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.call.transcripts import (
    COMPLETED,
    compare_transcripts,
    first_words_missing,
    word_error_rate,
)
from harness.core.events import Event, TranscriptCompared, UtteranceStarted
from harness.core.timeline import Timeline
from harness.speech.library import load_library
from tests.support.editing import a, changed
from tests.support.timelines import healthy_events, server

LIBRARY = load_library()
SAID = LIBRARY.clip("es-f-order").transcript


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("Hola, quiero pedir una pizza.", "hola quiero pedir una pizza", 0.0),
        ("Hola, quiero pedir una pizza.", "hola quiero pedir una taza", 0.2),
        ("one two three four", "one three four", 0.25),
        ("one two", "one and a two", 1.0),
        ("one two", "", 1.0),
        ("It's done", "it\u2019s done", 0.0),
        ("Ｆull width", "full width", 0.0),
    ],
)
def test_words_are_compared_without_case_and_punctuation(said: str, heard: str, rate: float) -> None:
    assert word_error_rate(said, heard) == pytest.approx(rate)


def compared(events: Sequence[Event]) -> list[TranscriptCompared]:
    """Of a call whose caller said what the recording holds."""
    without_one = [e for e in events if not isinstance(e, TranscriptCompared)]
    timeline = Timeline(changed(without_one, a(UtteranceStarted), transcript=SAID))
    compare_transcripts(timeline, LIBRARY)
    return timeline.all(TranscriptCompared)


def written(at: float, item: str, words: str) -> Event:
    return server(at, COMPLETED, item_id=item, content_index=0, transcript=words)


def test_each_utterance_is_compared_with_what_was_written_of_it() -> None:
    (found,) = compared([*healthy_events(), written(4.0, "item_1", SAID), written(4.1, "item_7", "another")])
    assert (found.clip, found.language, found.word_error_rate) == ("es-f-order", "es", 0.0)
    assert (found.said, found.heard, found.at) == (SAID, SAID, 4.0)


def test_without_a_transcript_there_is_nothing_to_compare() -> None:
    assert compared(healthy_events()) == []


@pytest.mark.parametrize("words", [None, 7, ["a"]])
def test_a_transcript_that_is_no_text_is_no_words(words: object) -> None:
    event = server(4.0, COMPLETED, item_id="item_1", transcript=words)
    (found,) = compared([*healthy_events(), event])
    assert found.word_error_rate == 1.0


@pytest.mark.parametrize(
    ("heard", "missing"),
    [
        ("Hi there, could you tell me where my order is?", 0),
        ("could you tell me where my order is", 2),
        ("Hi, could you tell me where my order is", 0),
        ("There! Could you tell me where my order was?", 1),
        ("(speech)", 0),
        ("", 0),
    ],
)
def test_words_that_are_missing_at_the_beginning_are_counted(heard: str, missing: int) -> None:
    assert first_words_missing("Hi there, could you tell me where my order is?", heard) == missing
