"""The checker of orders must itself be able to find fault."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.fakes.openai.driving import Driven
from tests.fakes.openai.order import order_violations


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    call = Driven().open()
    call.say()
    call.wait_until_quiet()
    return call.events


def test_a_faultless_turn_has_no_violation(events: list[dict[str, Any]]) -> None:
    assert order_violations(events) == []


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("session.created", "response.created"),
        ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
        ("response.created", "response.output_item.added"),
        ("response.output_item.added", "response.content_part.added"),
        ("response.content_part.added", "response.output_audio_transcript.delta"),
        ("response.content_part.added", "output_audio_buffer.started"),
        ("response.output_audio.done", "response.content_part.done"),
        ("response.output_item.done", "response.done"),
        ("response.done", "output_audio_buffer.stopped"),
    ],
)
def test_two_events_in_the_wrong_order_are_a_violation(
    events: list[dict[str, Any]], early: str, late: str
) -> None:
    names = [event["type"] for event in events]
    i, j = names.index(early), names.index(late)
    swapped = list(events)
    swapped[i], swapped[j] = swapped[j], swapped[i]
    assert order_violations(swapped)


@pytest.mark.parametrize(
    "name", ["response.done", "output_audio_buffer.started", "input_audio_buffer.committed"]
)
def test_an_event_that_comes_twice_is_a_violation(events: list[dict[str, Any]], name: str) -> None:
    index = [event["type"] for event in events].index(name)
    again = copy.deepcopy(events[index])
    again["event_id"] = "event_new"
    assert order_violations([*events[: index + 1], again, *events[index + 1 :]])


def test_an_id_that_comes_twice_is_a_violation(events: list[dict[str, Any]]) -> None:
    assert order_violations([*events, {"type": "error", "event_id": events[0]["event_id"]}])
