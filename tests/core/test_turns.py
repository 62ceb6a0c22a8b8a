from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.events import Event, HearingStarted, PacketsReceived, SendingStarted, ServerEvent
from harness.core.timeline import Timeline
from harness.core.turns import audio_zero, detections, replies, turns
from tests.support.editing import a, changed, told, without
from tests.support.timelines import (
    REPLY_MS,
    SENDING_AT,
    SESSION,
    Mode,
    a_turn,
    call_started,
    detection,
    healthy_call,
    healthy_events,
    packets,
    reply,
    server,
    timeline_of,
    utterance,
)

START, END, LATENCY = 1.25, 3.25, 0.9


def test_a_turn_pairs_what_was_said_detected_and_replied() -> None:
    (turn,) = turns(healthy_call())
    assert turn.utterance is not None
    assert (turn.utterance.start, turn.utterance.end) == pytest.approx((START, END))
    assert [d.item_id for d in turn.detections] == ["item_1"]
    assert [r.id for r in turn.replies] == ["resp_1"]
    assert turn.latency == pytest.approx(LATENCY)


def test_stamps_become_moments_of_the_timeline() -> None:
    """Prefix padding and silence are in the stamps, and the audio clock begins with our first packet."""
    (found,) = detections(healthy_call())
    assert found.start == pytest.approx(START, abs=0.001)
    assert found.end == pytest.approx(END, abs=0.001)
    assert found.started_at == pytest.approx(START + 0.1)


@pytest.mark.parametrize(("prefix", "silence"), [(0, 200), (300, 500), (600, 900)])
def test_padding_and_silence_are_those_of_the_session_in_force(prefix: int, silence: int) -> None:
    def tuned(event: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
        vad = {"type": "server_vad", "prefix_padding_ms": prefix, "silence_duration_ms": silence}
        event["session"]["audio"]["input"]["turn_detection"] = vad

    events = [
        call_started(),
        SendingStarted(at=SENDING_AT, ssrc=1),
        server(0.4, "session.created", session=SESSION),
    ]
    events = told(events, "session.created", tuned)
    events += [*utterance(1.0), *detection(START, END, "item_1", prefix=prefix, silence=silence)]
    (found,) = detections(timeline_of(events))
    assert (found.start, found.end) == pytest.approx((START, END), abs=0.001)


def test_without_a_zero_of_the_audio_clock_stamps_say_nothing() -> None:
    timeline = timeline_of(without(healthy_events(), a(SendingStarted)))
    (found,) = detections(timeline)
    assert audio_zero(timeline) is None
    assert (found.start, found.end) == (None, None)
    assert found.span == (found.started_at, found.stopped_at)


@pytest.mark.parametrize(("mode", "shift"), [("black-box", 0.8), ("embedded", 0.0), ("grey-box", 0.0)])
def test_a_gateway_that_counted_silence_of_its_own_is_followed_where_its_end_is_not_seen(
    mode: Mode, shift: float
) -> None:
    """All stamps say 800 ms more, so its clock began before our first packet."""

    def counted_earlier(event: dict[str, float]) -> None:
        for name in {"audio_start_ms", "audio_end_ms"} & event.keys():
            event[name] += 800

    events = told(healthy_events(mode), "input_audio_buffer.speech_started", counted_earlier)
    timeline = timeline_of(told(events, "input_audio_buffer.speech_stopped", counted_earlier))
    assert audio_zero(timeline) == pytest.approx(SENDING_AT - shift, abs=0.25)
    if shift:
        (found,) = detections(timeline)
        assert found.start == pytest.approx(START, abs=0.25)
        assert found.end == pytest.approx(END, abs=0.25)


def test_a_server_that_counts_from_our_first_packet_is_taken_at_its_word_whoever_sees_it() -> None:
    assert audio_zero(timeline_of(healthy_events("black-box"))) == SENDING_AT


@pytest.mark.parametrize(
    ("begun", "taken", "unheard"),
    [(9600, 9600, 0.0), (9600, 30720, 0.44), (4294966336, 20160, 0.44), (9600, 8640, 0.0)],
    ids=["all", "22 packets later", "over the end of the timestamps", "out of order"],
)
def test_what_the_upstream_never_took_of_our_beginning_is_not_on_its_clock(
    begun: int, taken: int, unheard: float
) -> None:
    events = changed(healthy_events(), a(SendingStarted), timestamp=begun)
    events += [HearingStarted(at=SENDING_AT + 0.5, side="upstream", ssrc=1, timestamp=taken)]
    assert audio_zero(timeline_of(events)) == pytest.approx(SENDING_AT + unheard)


def test_another_stream_that_the_upstream_takes_says_nothing_of_ours() -> None:
    events = changed(healthy_events(), a(SendingStarted), timestamp=0)
    events += [HearingStarted(at=SENDING_AT, side="upstream", ssrc=2, timestamp=48000)]
    assert audio_zero(timeline_of(events)) == SENDING_AT


def test_padding_cut_off_at_the_streams_beginning_leaves_the_start_unknown() -> None:
    events = told(healthy_events(), "input_audio_buffer.speech_started", lambda e: e.update(audio_start_ms=0))
    (found,) = detections(timeline_of(events))
    assert found.start is None


def test_events_without_item_ids_are_matched_by_their_order() -> None:
    events = [*healthy_events(end=16.0), *a_turn(9.0, 2, sequence=400)]
    for name in ("speech_started", "speech_stopped", "committed"):
        events = told(events, f"input_audio_buffer.{name}", lambda e: e.pop("item_id"))
    first, second = turns(timeline_of(events))
    assert first.detections[0].stopped_at is not None
    assert first.detections[0].stopped_at < second.detections[0].started_at
    assert first.latency == pytest.approx(LATENCY)
    assert second.latency == pytest.approx(LATENCY)


def test_a_stop_that_comes_before_its_start_still_belongs_to_it() -> None:
    events = changed(healthy_events(), a(ServerEvent, "input_audio_buffer.speech_stopped"), at=1.3)
    (found,) = detections(timeline_of(events))
    assert found.stopped_at == 1.3


def test_speech_that_never_stops_is_endless() -> None:
    events = [e for e in healthy_events() if not a(ServerEvent, "input_audio_buffer.speech_stopped")(e)]
    (found,) = detections(timeline_of(events))
    assert found.span[1] == float("inf")


def test_a_detection_of_nothing_said_is_a_turn_without_an_utterance() -> None:
    timeline = timeline_of([*healthy_events(end=16.0), *detection(10.0, 11.0, "item_9")])
    assert [t.utterance is None for t in turns(timeline)] == [False, True]


def test_the_latency_of_a_split_utterance_counts_from_its_true_end() -> None:
    """A reply that cut in before the end of speech is not a quick one."""
    events: list[Event] = [call_started(), SendingStarted(at=SENDING_AT, ssrc=1), *utterance(1.0)]
    events += [
        *detection(1.25, 1.4, "item_1"),
        *reply(2.0, "resp_1", audible_from=2.2, ms=600),
        packets(2.2, 600),
    ]
    events += [
        *detection(2.6, 3.25, "item_2"),
        *reply(3.9, "resp_2", audible_from=4.4),
        packets(4.4, 3000, sequence=200),
    ]
    (turn,) = turns(timeline_of(events))
    assert len(turn.detections) == 2
    assert turn.latency == pytest.approx(4.4 - END)


def test_a_reply_tells_how_it_went() -> None:
    (found,) = replies(healthy_call())
    assert (found.status, found.has_audio, found.interrupted) == ("completed", True, False)
    assert found.transcript.startswith("Su pedido")
    assert found.usage["total_tokens"] > 0
    assert found.first_audible == pytest.approx(END + LATENCY)
    assert found.audible_seconds == pytest.approx(REPLY_MS / 1000)
    assert found.ended_playing == pytest.approx(END + LATENCY + REPLY_MS / 1000 + 0.05)


def test_a_cleared_reply_is_interrupted() -> None:
    timeline = timeline_of(
        [*healthy_events(), server(5.0, "output_audio_buffer.cleared", response_id="resp_1")]
    )
    (found,) = replies(timeline)
    assert found.interrupted
    assert found.ended_playing == 5.0


def test_a_failed_reply_keeps_its_error() -> None:
    error = {"type": "insufficient_quota", "code": "insufficient_quota"}
    failed = {"status": "failed", "status_details": {"error": error}, "output": []}
    (found,) = replies(
        timeline_of(told(healthy_events(), "response.done", lambda e: e["response"].update(failed)))
    )
    assert (found.status, found.error) == ("failed", error)


def test_a_text_reply_has_no_audio() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Hola"}]}]
    done = {"id": "resp_1", "status": "completed", "output": output}
    events = [
        call_started(),
        server(1.0, "response.created", response={"id": "resp_1"}),
        server(1.2, "response.done", response=done),
    ]
    (found,) = replies(timeline_of(events))
    assert not found.has_audio


def test_a_function_call_is_known_as_one() -> None:
    done = {"id": "resp_1", "status": "completed", "output": [{"type": "function_call", "name": "order"}]}
    events = [
        call_started(),
        server(1.0, "response.created", response={"id": "resp_1"}),
        server(1.2, "response.done", response=done),
    ]
    (found,) = replies(timeline_of(events))
    assert found.calls_function


def test_packets_belong_to_the_reply_that_is_playing() -> None:
    events = [*healthy_events(end=16.0), *a_turn(9.0, 2, sequence=400)]
    first, second = replies(timeline_of(events))
    assert first.last_audible is not None
    assert second.first_audible is not None
    assert first.last_audible < second.created_at <= second.first_audible


def test_packets_that_were_not_decoded_are_not_heard() -> None:
    events = [*without(healthy_events(), a(PacketsReceived)), packets(4.15, 3000, dbfs=None)]
    (found,) = replies(timeline_of(events))
    assert found.first_audible is None
    assert found.audible_seconds == 0.0


def test_nothing_makes_no_turns() -> None:
    assert turns(Timeline()) == []


@given(
    starts=st.lists(st.floats(0.5, 60.0), max_size=6),
    lengths=st.lists(st.floats(0.1, 4.0), min_size=6, max_size=6),
)
def test_every_detection_and_utterance_is_in_exactly_one_turn(
    starts: list[float], lengths: list[float]
) -> None:
    events = healthy_events(end=99.0)
    for number, (start, length) in enumerate(zip(starts, lengths, strict=False)):
        events += detection(start, start + length, f"item_x{number}")
    timeline = timeline_of(events)
    found = turns(timeline)
    ids = [d.item_id for t in found for d in t.detections]
    assert sorted(ids) == sorted(d.item_id for d in detections(timeline))
    assert sum(t.utterance is not None for t in found) == 1
