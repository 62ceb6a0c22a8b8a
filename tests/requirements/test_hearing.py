"""When nothing heard is a failure, when it cannot be told, and when it is nobody's concern."""

from __future__ import annotations

import re

import msgspec
import pytest

from harness.core.events import (
    CallStarted,
    Event,
    NetworkImpaired,
    PacingMeasured,
    PacketsReceived,
    ServerEvent,
    StepEnded,
    StepStarted,
    UtteranceStarted,
)
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.requirements.audio_hearing_cases import (
    a_response_is_asked_for_in_vain,
    answered,
    response,
    text,
    the_session_is_text_only,
)
from tests.requirements.session_cases import VAD_OFF
from tests.support.editing import a, changed, until, without
from tests.support.timelines import (
    SESSION,
    a_turn,
    call_started,
    ending,
    healthy_events,
    packets,
    server,
    timeline_of,
)

Events = list[Event]


def heard(events: Events) -> Verdict:
    (verdict,) = judge([timeline_of(events)], REGISTRY.select(ids=["audio.something-heard"]))
    return verdict


def test_a_reply_that_is_heard_passes() -> None:
    assert heard(healthy_events()).outcome == Outcome.PASSED


def test_sound_without_a_single_event_is_heard_all_the_same() -> None:
    """A gateway may speak without the API's events."""
    events = [e for e in healthy_events() if not (isinstance(e, ServerEvent) and "response" in e.type)]
    assert heard([*events]).outcome in (Outcome.PASSED, Outcome.BLOCKED)


def test_a_target_that_is_meant_to_be_silent_is_not_blamed() -> None:
    events = changed(the_session_is_text_only(), a(CallStarted), silent=True)
    verdict = heard(events)
    assert (verdict.outcome, verdict.explanation) == (
        Outcome.NOT_APPLICABLE,
        "the target is configured as one that is not heard (silent)",
    )


def test_a_silent_target_may_leave_turns_unanswered() -> None:
    mute = {
        **SESSION,
        "audio": {"input": {"turn_detection": {"type": "server_vad", "create_response": False}}},
    }
    events = [*answered(), server(0.9, "session.updated", session=mute)]
    silent = changed(events, a(CallStarted), silent=True)
    found = {v.id: v.outcome for v in judge([timeline_of(silent)], REGISTRY)}
    assert found["turns.response-completes"] == Outcome.PASSED
    assert Outcome.FAILED not in found.values()


def test_a_click_is_not_heard_as_anything() -> None:
    click = packets(6.0, 40, sequence=700)
    assert heard([*answered(*response()), click]).cause == "reply-without-audio"


def test_a_greeting_before_the_caller_spoke_is_no_answer() -> None:
    greeting = packets(0.45, 500, sequence=10)
    assert heard([*answered(*response()), greeting]).cause == "reply-without-audio"


def test_the_second_turn_is_held_to_it_as_the_first() -> None:
    events = until(healthy_events(), 7.95, 16.0)
    second = [e for e in a_turn(9.0, 2, sequence=400) if not isinstance(e, PacketsReceived)]
    second = [e for e in second if not (isinstance(e, ServerEvent) and e.at > 11.83)]
    assert heard([*events, *second, *response("resp_2", 11.9, **text())]).cause == "reply-without-audio"


def test_a_caller_who_hangs_up_at_once_awaited_nothing() -> None:
    events = without(until(healthy_events(), 3.6, 3.7), a(StepStarted, step="hear the reply"))
    said = heard(events)
    assert said.outcome in (Outcome.NOT_APPLICABLE, Outcome.BLOCKED)


def test_who_cannot_speak_has_not_been_answered_either() -> None:
    """The media path was not up: nothing of it may be called conforming."""
    step = StepEnded(at=6.5, step="say es-f-order", failed="the media path is not up, so nothing can be said")
    kept = [e for e in until(healthy_events(), 0.99, 7.0) if not isinstance(e, UtteranceStarted)]
    verdict = heard([*kept, StepStarted(at=1.0, step="say es-f-order"), step])
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "the media path is not up" in verdict.explanation


def test_a_function_call_that_only_a_page_can_answer_is_left_open() -> None:
    call = {"type": "function_call", "name": "look_up", "arguments": "{}"}
    verdict = heard(answered(*response(output=[call])))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "called a function" in verdict.explanation


def test_packets_that_nobody_decoded_are_left_open() -> None:
    events = [*answered(*response()), packets(4.2, 2000, dbfs=None)]
    assert heard(events).outcome == Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("impairment", "outcome"),
    [
        ({"name": "wifi-good", "down": {"loss": 0.02}}, Outcome.FAILED),
        ({"name": "blackout", "seconds": 2.0}, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_bad_network_is_no_excuse_and_one_that_is_cut_off_is(impairment: dict, outcome: Outcome) -> None:  # type: ignore[type-arg]  # fields of NetworkImpaired
    events = [*the_session_is_text_only(), NetworkImpaired(at=0.9, **impairment)]
    assert heard(events).outcome == outcome


def test_a_machine_that_stood_still_blames_nobody_for_what_it_cannot_explain() -> None:
    stalled = PacingMeasured(at=13.9, side="upstream", packets=400, p50=5.0, p99=3000.0, max=3800.0)
    assert heard([*a_response_is_asked_for_in_vain(), stalled]).outcome == Outcome.INCONCLUSIVE
    assert heard([*the_session_is_text_only(), stalled]).outcome == Outcome.FAILED, "that has an explanation"


def test_a_warning_does_not_keep_it_from_judgement() -> None:
    """A model that ends in spring warns; the caller hears nothing today."""
    ending_model = {**SESSION, "model": "gpt-realtime", "output_modalities": ["text"]}
    events = [*answered(*response(**text())), server(0.9, "session.updated", session=ending_model)]
    found = {v.id: v.outcome for v in judge([timeline_of(events)], REGISTRY)}
    assert found["signaling.model-lasts"] == Outcome.WARNED
    assert found["audio.something-heard"] == Outcome.FAILED


def test_turns_that_a_sideband_commits_are_turns() -> None:
    """Turn detection off, and somebody else commits and asks: nobody's fault, where the reply is heard."""
    off = {**SESSION, **VAD_OFF}
    events = [e for e in healthy_events() if not (isinstance(e, ServerEvent) and "speech_st" in e.type)]
    found = judge([timeline_of([*events, server(0.9, "session.updated", session=off)])], REGISTRY)
    assert [v for v in found if v.outcome in (Outcome.FAILED, Outcome.WARNED)] == []


def test_a_call_is_judged_by_it_wherever_turns_are_judged() -> None:
    assert "audio.something-heard" in {r.id for r in REGISTRY.select(areas=["turns"])}
    assert "audio.something-heard" not in {r.id for r in REGISTRY.select(areas=["signaling"])}


def test_a_plain_call_without_a_word_is_no_conversation() -> None:
    connected = [call_started(), *until(healthy_events(), 0.5, 1.0)[1:], *ending(1.0)]
    plain = [e for e in connected if not isinstance(e, UtteranceStarted)]
    assert heard(plain).outcome == Outcome.NOT_APPLICABLE


def test_levels_are_told_with_the_finding() -> None:
    events = [*the_session_is_text_only(), msgspec.structs.replace(packets(4.0, 1000, dbfs=-96.0))]
    told = re.search(
        r"50 packets of silence, the loudest at -96 dBFS in (\d+\.\d) s after ", heard(events).explanation
    )
    assert told is not None
    assert float(told[1]) < max(event.at for event in events)
