"""What provokes each cause in turns."""

from __future__ import annotations

from harness.core.events import (
    Event,
    MicrophoneChanged,
    PacketsReceived,
    ReceiverReport,
    ServerEvent,
    TranscriptCompared,
    UtteranceStarted,
    WaitExpired,
)
from tests.requirements.cases import case
from tests.requirements.session_cases import VAD_OFF
from tests.support.editing import a, changed, told, until
from tests.support.timelines import (
    SESSION,
    a_turn,
    detection,
    ending,
    healthy_events,
    packets,
    reply,
    server,
    usage,
    utterance,
)

Events = list[Event]

# The healthy call: speech from 1.25 to 3.25 s, speech_stopped at 3.80, the reply heard from 4.15 to 7.15 s.
BEFORE_SPEECH, BEFORE_STOP, BEFORE_RESPONSE = 1.0, 3.7, 3.82


def unheard() -> Events:
    """The caller speaks, and nothing at all follows."""
    return until(healthy_events(), 1.3, 12.0)


@case("turns.speech-detected", "vad-deaf")
def no_speech_started() -> Events:
    return [e for e in unheard() if not a(ServerEvent, "input_audio_buffer.speech_started")(e)]


@case("turns.speech-detected", "vad-deaf")
def the_second_utterance_is_not_heard() -> Events:
    return [*until(healthy_events(), 7.9, 14.0), *utterance(9.0)]


@case("turns.speech-detected", "vad-disabled")
def turn_detection_is_cleared_between_two_utterances() -> Events:
    cleared = server(8.5, "session.updated", session=VAD_OFF)
    return [*until(healthy_events(), 7.9, 16.0), cleared, *utterance(9.0)]


@case("turns.speech-ends", "vad-never-ends")
def no_speech_stopped() -> Events:
    return until(healthy_events(), BEFORE_STOP, 12.0)


@case("turns.one-turn-per-utterance", "utterance-split")
def two_turns_of_one_utterance() -> Events:
    events = until(healthy_events(), BEFORE_SPEECH, 12.0)
    split = [*detection(1.25, 1.6, "item_1"), *detection(2.3, 3.25, "item_2")]
    return [*events, *utterance(1.0), *split, *reply(3.9, audible_from=4.15), packets(4.15, 3000)]


@case("turns.one-turn-per-utterance", "utterances-merged")
def one_turn_of_two_utterances() -> Events:
    events = until(healthy_events(), BEFORE_SPEECH, 16.0)
    merged = [*utterance(1.0), *utterance(5.0, "es-f-followup"), *detection(1.25, 7.25, "item_1")]
    return [*events, *merged, *reply(7.9, audible_from=8.2), packets(8.2, 3000)]


@case("turns.first-words", "first-words-cut")
def it_begins_late_and_is_written_down_without_its_beginning() -> Events:
    late = detected_half_a_second_late()
    return changed(late, a(TranscriptCompared), heard="mi pedido", first_words_missing=3)


@case("turns.boundaries", "start-off")
def detected_half_a_second_late() -> Events:
    stamped = {"audio_start_ms": 1490 - 300}
    return told(healthy_events(), "input_audio_buffer.speech_started", lambda e: e.update(stamped))


@case("turns.boundaries", "end-off")
def ended_a_second_early() -> Events:
    stamped = {"audio_end_ms": 2000 + 500}
    return told(healthy_events(), "input_audio_buffer.speech_stopped", lambda e: e.update(stamped))


@case("turns.transcribed", "misheard")
def every_other_word_is_another() -> Events:
    heard = {"heard": "Ola", "word_error_rate": 1.0}
    return changed(healthy_events(wer_percent=30.0), a(TranscriptCompared), **heard)


def failed_to_be_written(code: str) -> Event:
    error = {"type": "server_error", "code": code, "message": "Input transcription failed."}
    kind = "conversation.item.input_audio_transcription.failed"
    return server(5.0, kind, item_id="item_1", content_index=0, error=error)


@case("turns.transcription-succeeds", "transcription-failed")
def no_quota_for_transcriptions() -> Events:
    return [*healthy_events(), failed_to_be_written("insufficient_quota")]


@case("turns.remote-tools", "tools-not-listed")
def an_mcp_server_that_cannot_be_asked() -> Events:
    return [*healthy_events(), server(0.6, "mcp_list_tools.failed", item_id="mcpl_1")]


@case("turns.remote-tools", "remote-call-failed")
def a_tool_that_fails_there() -> Events:
    return [*healthy_events(), server(4.0, "response.mcp_call.failed", item_id="mcp_1", output_index=0)]


# --- silence ---


def stray(start: float = 1.3, end: float = 2.0) -> Events:
    """Speech detected where nobody audibly spoke, early in a call of silence."""
    return [*until(healthy_events(), BEFORE_SPEECH, 12.0), *detection(start, end, "item_9")]


@case("turns.no-turn-on-silence", "turn-on-silence")
def a_turn_in_silence() -> Events:
    return stray()


@case("turns.no-turn-on-silence", "turn-on-silence")
def a_turn_long_after_the_reply() -> Events:
    return [*until(healthy_events(), 7.9, 16.0), *detection(10.0, 11.0, "item_9")]


@case("turns.no-turn-when-muted", "turn-when-muted")
def a_turn_while_muted() -> Events:
    return [*stray(), MicrophoneChanged(at=0.9, muted=True), *utterance(1.0)]


@case("turns.no-turn-when-muted", "turn-when-muted")
def a_turn_of_a_clip_that_was_muted() -> Events:
    return [*stray(), *changed(utterance(1.0), a(UtteranceStarted), muted=True)]


# --- response-completes ---


def response(**fields: object) -> Events:
    """The healthy call with another end to its response."""
    return told(healthy_events(), "response.done", lambda e: e["response"].update(fields))


@case("turns.response-completes", "response-missing")
def no_response_to_the_turn() -> Events:
    return until(healthy_events(), BEFORE_RESPONSE, 12.0)


@case("turns.response-completes", "response-failed")
def the_quota_is_exceeded() -> Events:
    error = {
        "type": "insufficient_quota",
        "code": "insufficient_quota",
        "message": "You exceeded your quota.",
    }
    return response(status="failed", status_details={"type": "failed", "error": error}, output=[])


@case("turns.response-completes", "replies-disabled")
def nobody_is_answered_by_itself_and_nobody_asks() -> Events:
    """As where the relay's sideband is not connected."""
    mute = {"type": "server_vad", "create_response": False}
    session = {**SESSION, "audio": {"input": {"turn_detection": mute}}}
    return [*no_response_to_the_turn(), server(0.9, "session.updated", session=session)]


@case("turns.response-completes", "max-output-tokens")
def the_response_hits_its_limit() -> Events:
    return response(status="incomplete", status_details={"reason": "max_output_tokens"})


@case("turns.response-completes", "response-incomplete")
def the_response_is_cancelled_by_nobody() -> Events:
    return response(status="cancelled", status_details={})


@case("turns.response-completes", "response-incomplete")
def response_done_never_comes() -> Events:
    events = [e for e in until(healthy_events(), 5.0, 16.0) if not a(ServerEvent, "response.done")(e)]
    return [*events, WaitExpired(at=15.0, what="response.done", within=10.0)]


# --- latency and interruption ---


@case("turns.latency", "too-slow")
def slower_than_the_limit() -> Events:
    return healthy_events(latency_ms=800)


@case("turns.latency", "too-slow")
def slower_than_our_own_default() -> Events:
    turn = a_turn(latency=3.4)
    return [*until(healthy_events(), BEFORE_SPEECH, 12.0), *turn]


@case("turns.interruption", "self-interruption")
def the_reply_interrupts_itself() -> Events:
    interrupted = response(status="cancelled", status_details={"reason": "turn_detected"})
    events = [e for e in interrupted if not (isinstance(e, PacketsReceived) or e.at > 7.1)]
    events += [packets(4.15, 1000), server(5.2, "output_audio_buffer.cleared", response_id="resp_1")]
    return [*events, *detection(5.0, 5.6, "item_9"), *ending(12.0)]


@case("turns.interruption", "noise-interruption")
def keys_that_are_pressed_stop_the_reply() -> Events:
    keys = UtteranceStarted(at=4.6, clip="dtmf", duration_ms=1000, speech=())
    return [*the_reply_interrupts_itself(), keys]


@case("turns.interruption", "backchannel-interruption")
def a_hum_stops_the_reply() -> Events:
    detection = {**SESSION["audio"]["input"]["turn_detection"], "interrupt_response": False}
    session = {**SESSION, "audio": {"input": {"turn_detection": detection}}}
    hum = UtteranceStarted(
        at=4.75, clip="en-m-hum", duration_ms=840, speech=(), transcript="Mm.", backchannel=True
    )
    return [*the_reply_interrupts_itself(), hum, server(0.9, "session.updated", session=session)]


@case("turns.interruption", "barge-in-ignored")
def the_reply_talks_on() -> Events:
    events = until(healthy_events(), 7.3, 16.0)
    second = [*utterance(4.4), *detection(4.65, 6.65, "item_2")]
    pause = packets(7.15, 540, dbfs=-96.0, sequence=250)
    answer = [*reply(7.4, "resp_2", audible_from=7.7), packets(7.7, 3000, sequence=277)]
    return [*events, *second, pause, *answer]


@case("turns.interruption", "barge-in-ignored")
def the_reply_talks_on_into_the_next() -> Events:
    """Nor is it called truncated: where it ends and the next begins cannot be heard."""
    events = until(healthy_events(), BEFORE_RESPONSE, 24.0)
    long = [*reply(3.85, audible_from=4.15, ms=10_000), packets(4.15, 10_000)]
    second = [*utterance(5.0), *detection(5.25, 7.25, "item_2")]
    return [
        *events,
        *long,
        *second,
        *reply(7.9, "resp_2", audible_from=14.15),
        packets(14.15, 3000, sequence=600),
    ]


# --- tools ---

LOOK_UP = {
    "type": "function",
    "name": "look_up",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}


def calling(name: str = "look_up", arguments: str = '{"order": "A7"}', *, end: float = 20.0) -> Events:
    """After the healthy turn, a response at 9 s calls a tool of the session."""
    output = [{"type": "function_call", "call_id": "call_1", "name": name, "arguments": arguments}]
    done = {"id": "resp_9", "status": "completed", "output": output, "usage": usage(0)}
    return [
        *until(healthy_events(), 7.9, end),
        server(8.0, "session.updated", session={**SESSION, "tools": [LOOK_UP]}),
        server(8.8, "response.created", response={"id": "resp_9", "status": "in_progress"}),
        server(9.0, "response.done", response=done),
        *(ReceiverReport(at=t, fraction_lost=0, lost=0, jitter_ms=1.0) for t in (10.1, 12.6, 15.1, 17.6)),
    ]


def answering(call_id: str, at: float = 9.5) -> Events:
    item = {"type": "function_call_output", "call_id": call_id, "output": "tomorrow"}
    return [server(at, "conversation.item.added", item=item)]


@case("turns.tool-calls", "tool-unknown")
def a_tool_that_the_session_lacks() -> Events:
    return calling("look_down")


@case("turns.tool-calls", "arguments-broken")
def arguments_that_break_off() -> Events:
    return calling(arguments='{"order": "A')


@case("turns.tool-calls", "arguments-broken")
def arguments_that_are_no_object() -> Events:
    return calling(arguments='["A7"]')


@case("turns.tool-calls", "arguments-missing")
def arguments_without_what_is_required() -> Events:
    return calling(arguments='{"name": "A7"}')


@case("turns.tools-answered", "tool-unanswered")
def an_output_of_another_call() -> Events:
    return [*calling(), *answering("call_0")]


@case("turns.tools-answered", "answer-unspoken")
def an_output_that_nobody_speaks_of() -> Events:
    return [*calling(), *answering("call_1")]
