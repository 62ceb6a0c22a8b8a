"""Each fault of the conversation does what it says, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.core.realtime_events import server_event_problem
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.faults.registry import Fault
from harness.fakes.openai.conversation import Behaviour, ConversationSettings, Quirk, Send, SendRaw
from harness.fakes.openai.conversation.behaviour import CONVERSATION
from harness.fakes.openai.faults import OPENAI_FAULTS
from tests.fakes.openai.driving import Driven
from tests.fakes.openai.order import order_violations

PLAIN = ConversationSettings(vary=False)
QUIRKS = [fault for fault in OPENAI_FAULTS if fault.contract is CONVERSATION]

NO_INTERRUPTION = {"type": "server_vad", "interrupt_response": False}
TOOL = {
    "type": "function",
    "name": "look_up",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}


def quirk(fault: Fault, value: object = None) -> Quirk:
    ((unit, given, _),) = CONVERSATION.met([(fault, fault.value(value))])
    return unit(given)


def faulty(name: str, value: object = None, **options: Any) -> Driven:
    fault = OPENAI_FAULTS.named(name)
    call = Driven(quirks=[quirk(fault, value)], strict=False, **options)
    return call.open()


def spoken(name: str, value: object = None, **options: Any) -> Driven:
    """A call with one turn."""
    call = faulty(name, value, **options)
    call.wait(0.5)
    call.say(2.0)
    call.wait(6.0)
    return call


def statuses(call: Driven) -> list[str]:
    return [event["response"]["status"] for event in call.all("response.done")]


def test_the_faults_of_a_call_become_its_quirks_and_leave_the_others_alone() -> None:
    plan = FaultPlan(OPENAI_FAULTS, faults=["vad-deaf", "http-401", "no-audio"])
    call = Driven()
    call.conversation = type(call.conversation)(
        session=None,
        call_id="rtc",
        transport="webrtc",
        voice=call.voice,
        created_at=0,
        behaviour=Behaviour.of(plan.take(None)),
    )
    call.open()
    call.say()
    assert call.types() == ["session.created"]


@pytest.mark.parametrize("fault", QUIRKS, ids=lambda fault: fault.name)
def test_no_fault_makes_the_conversation_raise(fault: Fault) -> None:
    call = faulty(fault.name)
    call.update(instructions="x" * 70_000)
    call.send("nonsense")
    for _ in range(3):
        call.say(2.0)
        call.wait(0.6)
    call.send("response.cancel")
    call.wait(8.0)


@pytest.mark.parametrize("fault", QUIRKS, ids=lambda fault: fault.name)
def test_every_fault_changes_what_happens(fault: Fault) -> None:
    def story(quirks: list[Quirk]) -> list[object]:
        config = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        call = Driven(quirks=quirks, strict=False, session=config).open()
        call.update(instructions="x" * 70_000)
        call.send("nonsense")
        call.wait(2.0)
        call.say(2.0)
        call.wait(1.0)
        call.say(1.0)
        call.wait(8.0)
        call.update(audio={"input": {"turn_detection": NO_INTERRUPTION}})
        call.say(2.0)
        call.wait(1.0)
        call.say(1.0)
        call.wait(8.0)
        call.update(tools=[TOOL], tool_choice="required")
        call.send("response.create")
        call.wait(2.0)
        return [[o for o in call.outputs if isinstance(o, SendRaw)], call.closed, *call.events]

    assert story([quirk(fault)]) != story([])


def test_session_created_never_comes() -> None:
    assert "session.created" not in spoken("no-session-created").types()


def test_an_ignored_update_is_not_answered() -> None:
    call = faulty("session-update-ignored")
    assert call.update(instructions="new") == []
    assert call.send("response.create") != []


def test_a_refused_update_names_the_chosen_code() -> None:
    call = faulty("session-update-refused", "my_code")
    call.send("session.update", event_id="mine", session={"type": "realtime"})
    assert [(e["code"], e["event_id"]) for e in call.errors] == [("my_code", "mine")]


def test_an_update_that_is_not_applied_is_acknowledged_all_the_same() -> None:
    call = faulty("session-update-not-applied")
    call.update(instructions="new")
    assert call.one("session.updated")["session"] == call.one("session.created")["session"]
    call.update(temperature=1)
    assert call.errors, "a bad update is still refused"


def test_turn_detection_stays_off_whatever_is_asked_for() -> None:
    call = faulty("turn-detection-off")
    call.update(audio={"input": {"turn_detection": {"type": "server_vad"}}})
    call.say()
    assert call.one("session.updated")["session"]["audio"]["input"]["turn_detection"] is None
    assert "input_audio_buffer.speech_started" not in call.types()


def test_errors_are_kept_back() -> None:
    call = faulty("errors-unreported")
    assert call.send("nonsense") == []


def test_a_large_message_closes_the_channel() -> None:
    call = faulty("large-message-fatal", 16)
    call.update(instructions="x" * 15 * 1024)
    assert "session.updated" in call.types()
    call.update(instructions="x" * 16 * 1024)
    assert call.closed is not None
    assert call.closed.code == 1009


@pytest.mark.parametrize(
    ("name", "announced"), [("session-expired", True), ("session-expired-unannounced", False)]
)
def test_a_session_expires_with_or_without_a_word(name: str, announced: bool) -> None:
    call = faulty(name, 1.5)
    call.wait(2.0)
    assert call.closed is not None
    assert [e["code"] for e in call.errors] == (["session_expired"] if announced else [])


def test_one_message_is_no_json() -> None:
    call = spoken("event-not-json")
    (raw,) = [output for output in call.outputs if isinstance(output, SendRaw)]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(raw.text)
    assert statuses(call) == ["completed"]


@pytest.mark.parametrize(("name", "unknown"), [("event-malformed", False), ("event-unknown", True)])
def test_one_event_is_not_official(name: str, unknown: bool) -> None:
    problems = [p for event in spoken(name).events if (p := server_event_problem(event))]
    assert [p.unknown_type for p in problems] == [unknown]


def test_an_oversized_event_is_valid() -> None:
    call = spoken("event-oversized", 100)
    sizes = [len(json.dumps(event)) for event in call.all("rate_limits.updated")]
    assert max(sizes) > 100 * 1024
    assert all(server_event_problem(event) is None for event in call.events)


def test_events_of_one_type_come_twice() -> None:
    call = spoken("events-duplicated", "response.created")
    assert len(call.all("response.created")) == 2
    assert len(call.all("response.done")) == 1


def test_events_of_one_type_come_late() -> None:
    call = spoken("events-out-of-order", "response.output_item.added")
    assert order_violations(call.events)
    assert len(call.all("response.output_item.added")) == 1


def test_the_deaf_detector_hears_nothing() -> None:
    assert spoken("vad-deaf").types() == ["session.created"]


def test_the_detector_never_hears_the_end() -> None:
    assert spoken("vad-never-ends").types() == ["session.created", "input_audio_buffer.speech_started"]


@pytest.mark.parametrize(
    ("name", "event", "field"),
    [
        ("vad-start-off", "input_audio_buffer.speech_started", "audio_start_ms"),
        ("vad-end-off", "input_audio_buffer.speech_stopped", "audio_end_ms"),
    ],
)
def test_a_boundary_is_off_by_so_many_ms(name: str, event: str, field: str) -> None:
    true = Driven().open()
    true.wait(0.5)
    true.say(2.0)
    assert spoken(name, 300).one(event)[field] - true.one(event)[field] == 300


def test_one_utterance_becomes_two_turns() -> None:
    call = spoken("vad-splits")
    assert len(call.all("input_audio_buffer.committed")) == 2


def test_two_utterances_become_one_turn() -> None:
    call = faulty("vad-merges")
    call.say(1.0)
    call.wait(1.5)
    call.say(1.0)
    call.wait(8.0)
    assert len(call.all("input_audio_buffer.speech_started")) == 1
    assert len(call.all("input_audio_buffer.committed")) == 1


def test_silence_makes_a_turn() -> None:
    call = faulty("vad-on-silence", 1000)
    call.wait(4.0)
    assert len(call.all("input_audio_buffer.committed")) == 1


def test_speech_beside_imagined_speech_keeps_its_own_turn() -> None:
    call = faulty("vad-on-silence", 1000)
    call.say(3.0)
    call.wait(0.5)
    assert len(call.all("input_audio_buffer.committed")) == 1


def test_the_assistant_interrupts_itself() -> None:
    call = spoken("vad-on-own-voice", 500)
    assert call.one("conversation.item.truncated")["audio_end_ms"] == pytest.approx(500, abs=100)


def test_the_assistant_speaks_on_when_interrupted() -> None:
    call = faulty("barge-in-ignored")
    call.say(1.0)
    call.wait(1.0)
    call.start_speaking()
    assert call.is_playing()
    assert not call.all("output_audio_buffer.cleared")


def test_a_voice_cuts_the_reply_off_in_a_session_where_speech_does_not_interrupt() -> None:
    for name, cleared in (("", 0), ("hum-interrupts", 1)):
        session = {"type": "realtime", "audio": {"input": {"turn_detection": NO_INTERRUPTION}}}
        quirks = [quirk(OPENAI_FAULTS.named(name))] if name else []
        call = Driven(quirks=quirks, session=session).open()
        call.say(1.0)
        call.wait(1.0)
        call.start_speaking()
        assert len(call.all("output_audio_buffer.cleared")) == cleared
        assert call.is_playing() == (not cleared)


def test_an_answer_never_comes() -> None:
    assert spoken("response-never").types()[-1] == "conversation.item.done"


def test_a_response_fails_for_the_chosen_reason() -> None:
    call = spoken("response-failed", "rate_limit_exceeded")
    response = call.one("response.done")["response"]
    assert (response["status"], response["output"]) == ("failed", [])
    assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
    assert not call.all("output_audio_buffer.started")


def test_a_response_is_broken_off_for_its_content() -> None:
    call = spoken("response-incomplete", 0.5)
    response = call.one("response.done")["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "content_filter")
    assert 0 < len(response["output"][0]["content"][0]["transcript"]) < len("One two three four five six.")


def test_a_response_hits_its_greatest_number_of_tokens() -> None:
    done = spoken("max-output-tokens", 20).all("response.done")[0]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert done["max_output_tokens"] == 20


def test_a_response_is_completed_with_nothing_in_it() -> None:
    call = spoken("reply-empty")
    (done,) = call.all("response.done")
    assert (done["response"]["status"], done["response"]["output"]) == ("completed", [])
    assert not [name for name in call.types() if "output_item" in name or "content_part" in name]
    assert not call.all("output_audio_buffer.started")


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("tool-unknown", ("no_such_tool", '{"order": "example"}')),
        ("tool-arguments-broken", ("look_up", '{"order": "example"')),
        ("tool-arguments-missing", ("look_up", "{}")),
    ],
)
def test_a_function_call_is_told_wrongly_wherever_it_is_told(name: str, called: tuple[str, str]) -> None:
    call = faulty(name)
    call.update(tools=[TOOL], tool_choice="required")
    call.send("response.create")
    call.wait(3.0)
    (done,) = call.all("response.done")
    (item,) = call.all("response.output_item.done")
    for told in (done["response"]["output"][0], item["item"]):
        assert (told["name"], told["arguments"]) == called
    (arguments,) = call.all("response.function_call_arguments.done")
    assert arguments["arguments"] == called[1]


def test_a_response_is_cancelled_before_it_is_heard() -> None:
    call = spoken("reply-cut-off")
    assert statuses(call) == ["cancelled"]
    assert not call.all("output_audio_buffer.started")


def test_half_a_response_is_never_ended() -> None:
    call = spoken("response-half", 0.5)
    assert call.all("response.output_audio_transcript.delta")
    assert not call.all("response.done")
    assert not call.is_playing()


def test_an_answer_takes_long() -> None:
    call = faulty("response-slow", 5000)
    call.say()
    call.wait(4.9)
    assert not call.all("output_audio_buffer.started")
    call.wait(0.3)
    assert call.all("output_audio_buffer.started")


def test_the_cost_is_not_told() -> None:
    assert "usage" not in spoken("usage-missing").one("response.done")["response"]


def test_the_transcription_fails() -> None:
    config = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    call = spoken("transcription-failed", session=config)
    name = "conversation.item.input_audio_transcription"
    assert call.one(f"{name}.failed")["error"]["type"] == "server_error"
    assert not call.all(f"{name}.completed")


def test_a_server_error_fails_the_response_and_names_the_session() -> None:
    call = spoken("server-error")
    (error,) = call.errors
    session_id = call.one("session.created")["session"]["id"]
    assert (error["type"], session_id in error["message"]) == ("server_error", True)
    assert statuses(call) == ["failed"]


EVENTS_MEANT_TO_BE_WRONG = {"event-malformed", "event-unknown"}


@pytest.mark.parametrize(
    "fault", [f for f in QUIRKS if f.name not in EVENTS_MEANT_TO_BE_WRONG], ids=lambda fault: fault.name
)
def test_all_other_events_of_a_faulty_call_are_valid(fault: Fault) -> None:
    validate: Callable[[object], object] = server_event_problem
    call = spoken(fault.name)
    assert [validate(o.event) for o in call.outputs if isinstance(o, Send) and validate(o.event)] == []
