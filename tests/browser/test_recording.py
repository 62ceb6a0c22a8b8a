import base64
import json
from typing import Any

import numpy as np
import pytest

from harness.browser.recording import LARGEST_MESSAGE, MOST_EVENTS, PageRecording
from harness.core.clock import ManualClock, RelativeClock, monotonic_of_wall
from harness.core.events import Event, HarnessFailed, ServerEvent, StateChanged, TextShown
from harness.core.redaction import Redactor


class Recorded:
    """A recording with what it recorded, at second 10 of our clock."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clock = ManualClock(monotonic_of_wall() + 1_000_010.0)  # wall time is 1000010 s
        redactor = Redactor(["hidden-token"])
        self.recording = PageRecording(self.events.append, RelativeClock(self.clock), redactor)

    def tell(self, *told: dict[str, Any], document: str = "a") -> float:
        return self.recording.tell(json.dumps({"document": document, "told": told}))


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def shown(text: str, at: float = 1_000_012_000.0, **more: Any) -> dict[str, Any]:
    return {"event": {"kind": "text-shown", "at": at, "text": text, **more}}


def test_an_event_of_the_page_is_put_on_our_clock_and_redacted(recorded: Recorded) -> None:
    recorded.tell(shown("hello hidden-token"))
    (event,) = recorded.events
    assert isinstance(event, TextShown)
    assert event.text == "hello [redacted]"
    assert event.at == pytest.approx(2.0, abs=0.05)


def test_a_page_cannot_speak_for_the_upstream_or_before_the_call(recorded: Recorded) -> None:
    recorded.tell(shown("x", at=0.0, side="upstream"))
    assert recorded.events[0].side == "caller"
    assert recorded.events[0].at == 0.0


@pytest.mark.parametrize(
    "told",
    [
        {"event": {"kind": "call-ended", "at": 1.0, "reason": "not the page's to say"}},
        {"event": {"kind": "text-shown", "at": "soon", "text": "x"}},
        {"event": {"kind": "text-shown", "text": "x"}},
        {"event": {"kind": "text-shown", "at": 1.0, "text": 7}},
        {"event": {"kind": "state-changed", "at": 1.0, "layer": "moon", "state": "full"}},
        {"pcm": {"at": 1.0, "rate": 48000, "samples": "no base64!"}},
        {"pcm": {"at": 1.0, "rate": 44100, "samples": ""}},
        {"broke": "TypeError: x"},
    ],
)
def test_what_cannot_be_read_is_our_own_failure_said_once(recorded: Recorded, told: dict[str, Any]) -> None:
    recorded.tell(told)
    recorded.tell(told)
    (event,) = recorded.events
    assert isinstance(event, HarnessFailed)


@pytest.mark.parametrize("text", [None, 7, "", "{", "[]", "x" * (LARGEST_MESSAGE + 1), "[" * 9999])
def test_a_message_that_is_none_ends_nothing(recorded: Recorded, text: object) -> None:
    recorded.recording.tell(text)
    assert [type(e) for e in recorded.events] == [HarnessFailed]


def test_a_page_that_never_rests_does_not_fill_our_memory(recorded: Recorded) -> None:
    recorded.tell(*(shown(str(n)) for n in range(MOST_EVENTS + 500)))
    assert len(recorded.events) == MOST_EVENTS


def test_events_of_the_channel_are_those_of_any_call(recorded: Recorded) -> None:
    at = 1_000_012_000.0
    created = {"kind": "server-event", "at": at, "event": {"type": "session.created"}, "raw": "", "size": 3}
    recorded.tell({"event": {"kind": "state-changed", "at": at, "layer": "channel", "state": "open"}})
    recorded.tell({"event": created})
    state, event = recorded.events
    assert isinstance(state, StateChanged)
    assert isinstance(event, ServerEvent)
    assert event.type == "session.created"


def test_sound_is_kept_at_its_time(recorded: Recorded) -> None:
    samples = base64.b64encode(np.full(4800, 9000, "<i2").tobytes()).decode()
    recorded.tell({"pcm": {"at": 1_000_012_000.0, "rate": 48000, "samples": samples}})
    assert recorded.recording.audio.samples().size == pytest.approx(2.1 * 48000, abs=5000)
    assert recorded.recording.audio.last_audible == pytest.approx(2.1, abs=0.1)


def test_when_a_body_was_sent_is_asked_once_for_each(recorded: Recorded) -> None:
    sent = {"requested": {"at": 1_000_012_000.0, "url": "http://a/", "has_body": True}}
    recorded.tell(sent, {"requested": {"at": 1_000_013_000.0, "url": "http://b/"}})
    assert recorded.recording.requested_at("http://a/") == pytest.approx(2.0, abs=0.05)
    assert recorded.recording.requested_at("http://a/") is None
    assert recorded.recording.requested_at("http://b/") is None
