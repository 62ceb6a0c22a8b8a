from __future__ import annotations

import base64
from typing import Any

import pytest

from harness.fakes.openai.conversation import ConversationSettings, Play, StopPlaying
from tests.fakes.openai.driving import REPLY_MS, Driven

PLAIN = ConversationSettings(vary=False)
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "output_audio_buffer.started",
    "response.output_audio_transcript.delta",
    "response.output_audio_transcript.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "output_audio_buffer.stopped",
]


def vad(**changes: Any) -> dict[str, Any]:
    return {"input": {"turn_detection": {"type": "server_vad", **changes}}}


def test_a_server_vad_turn_comes_in_the_documented_order() -> None:
    call = Driven().open()
    call.say()
    call.wait_until_quiet()
    assert call.types() == ["session.created", *TURN]


def test_all_orders_that_the_seed_chooses_are_legal() -> None:
    seen = set()
    for seed in range(12):
        call = Driven(settings=ConversationSettings(), seed=seed).open()
        call.say()
        call.wait_until_quiet()
        seen.add(tuple(call.types()))
    assert len(seen) > 3


def test_the_same_seed_gives_the_same_events() -> None:
    def run() -> list[dict[str, Any]]:
        call = Driven(settings=ConversationSettings(), seed=5).open()
        call.say()
        call.wait_until_quiet()
        return call.events

    assert run() == run()


@pytest.mark.parametrize("delay_ms", [0, 200, 1500])
def test_the_reply_begins_exactly_the_reply_delay_after_the_turn(delay_ms: int) -> None:
    call = Driven(settings=ConversationSettings(reply_delay_ms=delay_ms, vary=False)).open()
    call.say()
    stopped = call.now
    while call.playing is None:
        deadline = call.conversation.next_deadline()
        assert deadline is not None
        call.now = deadline
        call.take(call.conversation.tick(deadline))
    assert call.now - stopped == pytest.approx(delay_ms / 1000)


def test_the_transcript_is_sent_faster_than_it_is_heard() -> None:
    call = Driven().open()
    call.say()
    call.wait(PLAIN.reply_delay_ms / 1000 + REPLY_MS / 1000 / PLAIN.generation_speed + 0.1)
    assert "response.done" in call.types()
    assert "output_audio_buffer.stopped" not in call.types()
    call.wait(REPLY_MS / 1000)
    assert call.types()[-1] == "output_audio_buffer.stopped"


def test_the_stamps_of_speech_are_the_detectors() -> None:
    call = Driven().open()
    call.take(call.conversation.speech_started(1248, 2.0))
    call.take(call.conversation.speech_stopped(3296, 4.0))
    assert call.one("input_audio_buffer.speech_started")["audio_start_ms"] == 1248
    assert call.one("input_audio_buffer.speech_stopped")["audio_end_ms"] == 3296


def test_the_padding_does_not_reach_into_the_turn_before() -> None:
    call = Driven().open()
    call.say()
    call.start_speaking()
    first_end = call.last("input_audio_buffer.speech_stopped")["audio_end_ms"]
    assert call.last("input_audio_buffer.speech_started")["audio_start_ms"] == first_end


def test_the_items_follow_each_other() -> None:
    call = Driven().open()
    for _ in range(2):
        call.say()
        call.wait_until_quiet()
    added = [(e["previous_item_id"], e["item"]["id"]) for e in call.all("conversation.item.added")]
    assert [previous for previous, _ in added] == [None, *(item for _, item in added[:-1])]


def test_barge_in_cancels_clears_and_truncates_to_what_was_played() -> None:
    call = Driven(settings=ConversationSettings(generation_speed=1.0, vary=False)).open()
    call.say()
    call.wait(0.3 + 0.75)
    call.start_speaking()
    done = call.one("response.done")["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert call.one("output_audio_buffer.cleared")["response_id"] == done["id"]
    truncated = call.one("conversation.item.truncated")
    assert truncated["audio_end_ms"] == pytest.approx(700, abs=100)
    assert call.playing is None
    call.send("conversation.item.retrieve", item_id=truncated["item_id"])
    item = call.one("conversation.item.retrieved")["item"]
    assert item["status"] == "incomplete"
    assert item["content"] == [{"type": "output_audio"}], "what was not heard is not in the context"


def test_barge_in_after_response_done_still_clears_and_truncates() -> None:
    call = Driven().open()
    call.say()
    call.wait(1.3)
    assert call.one("response.done")["response"]["status"] == "completed"
    call.start_speaking()
    assert "output_audio_buffer.cleared" in call.types()
    assert call.one("conversation.item.truncated")["audio_end_ms"] == pytest.approx(1000, abs=150)
    assert len(call.all("response.done")) == 1


def test_barge_in_before_the_first_word_cancels_without_audio() -> None:
    call = Driven().open()
    call.say()
    call.wait(0.1)
    call.start_speaking()
    assert call.one("response.done")["response"]["output"] == []
    assert not call.all("output_audio_buffer.cleared")
    assert not call.all("conversation.item.truncated")


def test_without_interrupt_response_the_assistant_speaks_on() -> None:
    call = Driven(session={"type": "realtime", "audio": vad(interrupt_response=False)}).open()
    call.say()
    call.wait(1.0)
    call.start_speaking()
    assert not call.all("output_audio_buffer.cleared")
    call.wait(0.2)
    call.stop_speaking()
    call.wait_until_quiet()
    assert [e["response"]["status"] for e in call.all("response.done")] == ["completed", "completed"]


def test_without_interrupt_response_a_second_answer_at_once_is_an_error_without_event_id() -> None:
    settings = ConversationSettings(generation_speed=0.5, vary=False)
    call = Driven(
        session={"type": "realtime", "audio": vad(interrupt_response=False)}, settings=settings
    ).open()
    call.say()
    call.wait(1.0)
    call.say(0.5)
    assert [(e["code"], e["event_id"]) for e in call.errors] == [
        ("conversation_already_has_active_response", None)
    ]


def test_without_create_response_the_turn_is_committed_and_not_answered() -> None:
    call = Driven(session={"type": "realtime", "audio": vad(create_response=False)}).open()
    call.say()
    call.wait(3.0)
    assert call.types()[-1] == "conversation.item.done"
    call.send("response.create")
    call.wait_until_quiet()
    assert call.types()[-1] == "output_audio_buffer.stopped"


def test_without_turn_detection_speech_is_nobodys_business() -> None:
    call = Driven(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}).open()
    call.say()
    call.wait(1.0)
    assert call.types() == ["session.created"]


def test_a_manual_turn_is_committed_and_answered_on_request() -> None:
    call = Driven(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}).open()
    call.wait(1.0)
    call.send("input_audio_buffer.clear")
    call.wait(1.5)
    call.send("input_audio_buffer.commit")
    assert call.types()[1:] == [
        "input_audio_buffer.cleared",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    call.wait(1.0)
    assert "response.created" not in call.types()
    call.send("response.create")
    call.wait_until_quiet()
    usage = call.one("response.done")["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 15


def test_less_than_100_ms_cannot_be_committed() -> None:
    call = Driven(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}).open()
    call.wait(0.09)
    call.send("input_audio_buffer.commit", event_id="mine")
    assert [(e["code"], e["event_id"]) for e in call.errors] == [("input_audio_buffer_commit_empty", "mine")]


def test_appended_audio_fills_the_buffer_and_is_handed_on() -> None:
    call = Driven(
        transport="websocket", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    ).open()
    for _ in range(7):
        call.send("input_audio_buffer.append", audio=base64.b64encode(bytes(20 * 48)).decode())
    call.send("input_audio_buffer.commit")
    assert not call.errors
    assert "input_audio_buffer.committed" in call.types()


def test_switching_turn_detection_off_forgets_the_utterance_in_progress() -> None:
    call = Driven().open()
    call.start_speaking()
    call.wait(0.5)
    call.update(audio={"input": {"turn_detection": None}})
    call.stop_speaking()
    assert "input_audio_buffer.speech_stopped" not in call.types()


def test_silence_after_a_reply_triggers_the_idle_timeout_and_an_answer() -> None:
    call = Driven(session={"type": "realtime", "audio": vad(idle_timeout_ms=5000)}).open()
    call.wait(8.0)
    assert call.types() == ["session.created"], "it counts from the end of a reply"
    call.say()
    call.wait_until_quiet()
    over = call.audio_ms
    call.wait(5.5)
    triggered = call.one("input_audio_buffer.timeout_triggered")
    assert triggered["audio_start_ms"] == pytest.approx(over, abs=150)
    assert triggered["audio_end_ms"] - triggered["audio_start_ms"] == pytest.approx(5000, abs=150)
    names = call.types()[call.types().index("input_audio_buffer.timeout_triggered") :]
    assert names[1:5] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]


def test_speech_before_the_idle_timeout_stops_it() -> None:
    call = Driven(session={"type": "realtime", "audio": vad(idle_timeout_ms=5000)}).open()
    call.say()
    call.wait_until_quiet()
    call.wait(4.0)
    call.say(2.0)
    assert not call.all("input_audio_buffer.timeout_triggered")


def test_a_reply_is_stopped_at_what_exists_when_its_generation_is_cancelled() -> None:
    call = Driven(settings=ConversationSettings(generation_speed=2.0, vary=False)).open()
    call.say()
    call.wait(0.3 + 0.4)
    call.send("response.cancel")
    assert call.one("response.done")["response"]["status"] == "cancelled"
    assert call.is_playing(), "what was made is heard to its end"
    call.wait(1.0)
    assert not call.is_playing()
    assert call.types()[-1] == "output_audio_buffer.stopped"
    assert not call.all("output_audio_buffer.cleared")


def test_cancel_then_clear_silences_the_assistant() -> None:
    call = Driven(settings=ConversationSettings(generation_speed=2.0, vary=False)).open()
    call.say()
    call.wait(1.0)
    call.send("response.cancel")
    call.send("output_audio_buffer.clear")
    assert not call.errors
    assert call.playing is None
    assert call.one("output_audio_buffer.cleared")
    assert call.one("conversation.item.truncated")["audio_end_ms"] == pytest.approx(600, abs=150)


def test_clearing_alone_also_ends_the_generation() -> None:
    call = Driven(settings=ConversationSettings(generation_speed=1.0, vary=False)).open()
    call.say()
    call.wait(1.0)
    call.send("output_audio_buffer.clear")
    assert call.one("response.done")["response"]["status_details"]["reason"] == "client_cancelled"


def test_a_second_response_waits_until_the_first_was_heard() -> None:
    call = Driven().open()
    call.say()
    call.wait(1.0)
    assert call.one("response.done")
    call.send("response.create")
    call.wait(0.8)
    assert len(call.all("output_audio_buffer.started")) == 1
    call.wait_until_quiet()
    call.wait(REPLY_MS / 1000 + 1)
    assert len(call.all("output_audio_buffer.stopped")) == 2
    assert [type(o) for o in call.outputs if isinstance(o, Play | StopPlaying)] == [Play, Play]


def test_a_session_expires_with_an_error_and_a_close() -> None:
    call = Driven(settings=ConversationSettings(session_seconds=6.0)).open()
    assert call.one("session.created")["session"]["expires_at"] == 1_800_000_006
    call.wait(6.5)
    assert call.errors[-1]["code"] == "session_expired"
    assert call.closed is not None
    assert call.closed.code == 1001
    assert call.send("response.create") == []
    assert call.conversation.next_deadline() is None


def test_the_silence_of_an_idle_timeout_is_not_what_the_caller_says_next() -> None:
    audio = {"input": {**vad(idle_timeout_ms=5000)["input"], "transcription": {"model": "gpt-transcribe"}}}
    call = Driven(session={"type": "realtime", "audio": audio}).open()
    call.say()
    call.wait_until_quiet()
    call.conversation.expect("At last.")
    call.wait(8.5)
    call.say()
    call.wait_until_quiet()
    completed = call.all("conversation.item.input_audio_transcription.completed")
    assert [e["transcript"] for e in completed] == [PLAIN.transcript, "", "At last."]


def test_barge_in_also_drops_what_waits_behind_a_response_out_of_band() -> None:
    call = Driven().open()
    call.send("response.create", response={"conversation": "none"})
    call.send("response.create")
    call.wait(1.0)
    call.start_speaking()
    call.wait(3.0)
    assert not call.is_playing()
    assert len(call.all("output_audio_buffer.started")) == 1
    assert call.one("conversation.item.truncated")["audio_end_ms"] == 0


def test_a_playout_that_outruns_the_generation_is_over_when_the_response_is() -> None:
    call = Driven(settings=ConversationSettings(generation_speed=0.5, vary=False)).open()
    call.say()
    call.wait(0.3 + REPLY_MS / 1000 + 0.5)
    assert not call.is_playing()
    assert not call.all("output_audio_buffer.stopped")
    call.wait_until_quiet()
    assert call.types()[-2:] == ["response.done", "output_audio_buffer.stopped"]


def test_an_item_after_the_conversations_first_is_done_after_none() -> None:
    call = Driven().open()
    for _ in range(2):
        call.say()
        call.wait_until_quiet()
    added, done = call.all("conversation.item.added"), call.all("conversation.item.done")
    ids = [event["item"]["id"] for event in added]
    assert [event["previous_item_id"] for event in added] == [None, *ids[:-1]]
    assert [event["previous_item_id"] for event in done] == [None, None, ids[1], ids[2]]


@pytest.mark.parametrize("always", [False, True])
def test_one_report_has_it_that_what_is_heard_is_cut_off_although_nothing_is_to_interrupt(
    always: bool,
) -> None:
    settings = ConversationSettings(vary=False, always_clears=always, generation_speed=1.0)
    call = Driven(settings=settings, session={"type": "realtime", "audio": vad(interrupt_response=False)})
    call.open().say()
    while call.playing is None:
        call.wait(0.1)
    call.wait(0.5)
    call.start_speaking()
    assert ("output_audio_buffer.cleared" in call.types()) is always
    assert ("conversation.item.truncated" in call.types()) is always
    assert not call.all("response.done"), "the response itself is not cancelled"
