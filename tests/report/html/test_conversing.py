from __future__ import annotations

from harness.core.events import (
    CallEnded,
    Event,
    EventInvalid,
    MicrophoneChanged,
    NetworkImpaired,
    Packet,
    PacketsReceived,
    SendingStarted,
    StepEnded,
    UtteranceStarted,
    WaitExpired,
)
from harness.core.timeline import Timeline
from harness.report.html.conversing import conversing, script
from harness.report.html.lanes import Lane
from tests.report.html.runs import tone
from tests.support.timelines import healthy_events, server

NOTHING = tone(0.0)


def lanes(*more: Event, without: tuple[type[Event], ...] = ()) -> dict[str, Lane]:
    kept = [e for e in healthy_events() if not isinstance(e, without)]
    panel = conversing(Timeline([*kept, *more]), tone(4.0, start=1.0), tone(6.0, start=4.0))
    assert panel is not None
    return {lane.name: lane for lane in panel.lanes}


def test_both_voices_their_detection_their_reply_and_the_wait_lie_at_their_times() -> None:
    found = lanes()
    speech = found["caller"].spans[0]
    assert (speech.start, speech.end) == (1.25, 3.25)
    assert found["detected speech"].note == "1 turn"
    wait = found["wait for a reply"].spans[0]
    assert (wait.start, round(wait.end, 3), wait.label) == (3.25, 4.15, "900 ms")
    assert found["responses"].spans[0].label == "completed"
    heard = found["relay"].spans[0]
    assert (round(heard.start, 2), round(heard.end, 2)) == (4.15, 7.15)
    assert found["packets lost"].note == "0 of 150 (0.0 %)"
    assert max(found["caller"].wave) > 0.2 < max(found["relay"].wave)


def test_lost_packets_are_counted_and_marked_where_they_lack() -> None:
    times = [(i, 4 + 0.02 * i) for i in range(100) if i not in (10, 11, 60)]
    packets = tuple(Packet(at, 500 + i, 960 * i, 80, -20.0) for i, at in times)
    found = lanes(PacketsReceived(at=4.0, ssrc=9, packets=packets), without=(PacketsReceived,))
    assert found["packets lost"].note == "3 of 100 (3.0 %)"
    assert [(round(t.at, 2), t.detail) for t in found["packets lost"].ticks] == [
        (4.24, "2 packets lost"),
        (5.22, "1 packet lost"),
    ]


def test_packets_out_of_order_are_not_lost() -> None:
    order = [0, 2, 1, 3]
    packets = tuple(Packet(4 + 0.02 * k, 500 + i, 960 * i, 80, -20.0) for k, i in enumerate(order))
    found = lanes(PacketsReceived(at=4.0, ssrc=9, packets=packets), without=(PacketsReceived,))
    assert found["packets lost"].ticks == ()


def test_a_response_that_is_never_done_lasts_to_the_end_and_is_bad() -> None:
    found = lanes(server(7.2, "response.created", response={"id": "resp_9"}))
    last = found["responses"].spans[-1]
    assert (last.label, last.tone) == ("never done", "bad")


def test_trouble_is_told_with_its_moment() -> None:
    found = lanes(
        server(2.0, "error", error={"message": "<b>no</b>"}),
        EventInvalid(at=2.5, type="x", problem="odd"),
        WaitExpired(at=3.0, what="response.done", within=5.0),
        StepEnded(at=3.1, step="hear the reply", failed="it did not come"),
    )
    assert found["trouble"].note == "2.0 s: error: <b>no</b>, and 3 more"
    assert [tick.tone for tick in found["trouble"].ticks] == ["bad", "doubt", "bad", "bad"]


def test_what_was_done_to_the_network_is_a_lane_of_its_own() -> None:
    found = lanes(
        NetworkImpaired(at=1.0, name="train"),
        NetworkImpaired(at=3.0, name="blackout", seconds=0.5),
        NetworkImpaired(at=4.0, name="rebind"),
        NetworkImpaired(at=5.0, name="clear"),
    )
    lane = found["impaired network"]
    assert [(s.label, s.start, s.end) for s in lane.spans] == [("train", 1.0, 3.0), ("blackout", 3.0, 3.5)]
    assert [tick.at for tick in lane.ticks] == [4.0]


def test_speech_into_a_muted_microphone_is_said_to_be_so() -> None:
    found = lanes(MicrophoneChanged(at=0.9, muted=True))
    assert found["caller"].note == "nothing said, spoke while muted"
    kept = Timeline([*healthy_events(), MicrophoneChanged(at=0.9, muted=True)])
    assert script(kept)[0].who == "caller, muted"


def test_the_words_are_in_the_order_in_which_they_were_said() -> None:
    said = UtteranceStarted(at=0.5, clip="es-f-order", duration_ms=10, speech=(), transcript="Hola")
    lines = script(Timeline([*healthy_events(), said]))
    assert [(line.who, line.text) for line in lines] == [
        ("caller", "Hola"),
        ("caller", "es-f-order"),
        ("relay", "Su pedido llega mañana por la tarde."),
    ]


def test_a_call_in_which_nothing_could_be_said_has_no_panel() -> None:
    assert conversing(Timeline([CallEnded(at=1.0, reason="")]), NOTHING, NOTHING) is None
    short: list[Event] = [SendingStarted(at=0.2, ssrc=1), CallEnded(at=0.4, reason="")]
    assert conversing(Timeline(short), NOTHING, NOTHING) is None


def test_five_silent_seconds_have_a_panel() -> None:
    long: list[Event] = [SendingStarted(at=0.2, ssrc=1), CallEnded(at=5.4, reason="")]
    panel = conversing(Timeline(long), NOTHING, NOTHING)
    assert panel is not None
    assert {lane.name: lane.note for lane in panel.lanes}["relay"] == "nothing audible"
