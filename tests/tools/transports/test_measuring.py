from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.core.events import (
    CallEnded,
    CallStarted,
    Event,
    HttpRequest,
    HttpResponse,
    PacingMeasured,
    Packet,
    PacketsReceived,
    SendingStarted,
    Stalled,
    UtteranceEnded,
    UtteranceStarted,
)
from harness.core.probes import UPGRADE
from harness.core.timeline import Timeline
from tests.support.timelines import server
from tools.transports.measuring import TO_ITS_END, measured, spoilt

SOUND, SILENCE = -20.0, -90.0
REPLIES = ((4.0, 6.0), (9.0, 10.0))  # what is heard, in seconds


def call(heard: Sequence[Packet], *, is_socket: bool = False, ended: str = TO_ITS_END) -> Timeline:
    """Two questions of 2 s, at 1 s and at 6.5 s, with what was heard."""
    events: list[Event] = [
        CallStarted(at=0.0, call="1", scenario="transports", ufrag="abcd", mode="grey-box"),
        HttpRequest(at=0.1, method="POST", url="http://relay/", purpose=UPGRADE if is_socket else "offer"),
        HttpResponse(at=0.3, status=101 if is_socket else 200, purpose=UPGRADE if is_socket else "offer"),
        SendingStarted(at=0.4, ssrc=1),
        server(0.5, "session.created", session={}),
    ]
    for item, start in (("a", 1.0), ("b", 6.5)):
        events += [
            UtteranceStarted(at=start, clip=item, duration_ms=2000, speech=((0, 2000),), transcript=""),
            server(start + 0.1, "input_audio_buffer.speech_started", item_id=item),
            server(start + 2.6, "input_audio_buffer.speech_stopped", item_id=item),
            UtteranceEnded(at=start + 2.0, clip=item),
            server(
                start + 2.8,
                "conversation.item.input_audio_transcription.completed",
                item_id=item,
                usage={"input_token_details": {"audio_tokens": 26 if item == "a" else 17}},
            ),
        ]
    events += [PacketsReceived(at=heard[0].at, ssrc=1, packets=tuple(heard))] if heard else []
    return Timeline([*events, CallEnded(at=11.0, reason=ended)])


def is_sound(media: float) -> bool:
    return any(start <= media < end for start, end in REPLIES)


def rtp(*, lost: tuple[float, float] = (0.0, 0.0)) -> list[Packet]:
    """Every 20 ms of the call, but for what was lost."""
    times = [n * 0.02 for n in range(30, 525)]
    return [
        Packet(round(t, 6), n, n * 960, 80, SOUND if is_sound(t) else SILENCE)
        for n, t in enumerate(times)
        if not lost[0] <= t < lost[1]
    ]


def frames(*, late: float = 0.0, unsteady: float = 0.0) -> list[Packet]:
    """What a player played: nothing between replies, the second half of the first `late` seconds later."""
    found: list[Packet] = []
    for start, end in REPLIES:
        for n in range(round((end - start) / 0.02)):
            held = late if start == 4.0 and n >= 50 else 0.0
            at = start + n * 0.02 + held + (unsteady if n % 7 == 3 else 0.0)
            found.append(Packet(round(at, 6), len(found), len(found) * 960, 960, SOUND))
    return found


def test_webrtc_is_timed_as_its_jitter_buffer_plays_it() -> None:
    found = measured(call(rtp()))
    assert found["setup_ms"] == pytest.approx(400)
    assert 1000 <= found["first_audio_ms"] <= 1100
    assert 500 <= found["second_audio_ms"] <= 600
    assert (found["missing_ms"], found["gaps_heard_ms"], found["longest_gap_ms"]) == (0, 0, 0)
    assert found["survived"]
    assert found["whole_turns"] == 2
    assert found["heard_s"] == 1.7
    assert not found["errors"]


def test_what_was_lost_of_a_reply_is_a_gap_and_what_was_lost_between_replies_is_none() -> None:
    found = measured(call(rtp(lost=(4.5, 4.9))))
    assert (
        found["missing_ms"] == found["gaps_heard_ms"] == found["longest_gap_ms"] == pytest.approx(400, abs=20)
    )
    assert measured(call(rtp(lost=(7.0, 8.0))))["missing_ms"] == 0


def test_what_concealment_covers_is_missing_and_not_heard_as_a_gap() -> None:
    found = measured(call(rtp(lost=(4.5, 4.54))))
    assert found["missing_ms"] == found["longest_gap_ms"] == pytest.approx(40, abs=20)
    assert found["gaps_heard_ms"] == 0


def test_a_websocket_is_timed_as_its_player_plays_it() -> None:
    found = measured(call(frames(), is_socket=True))
    assert found["first_audio_ms"] == pytest.approx(1000)
    assert (found["missing_ms"], found["gaps_heard_ms"]) == (0, 0)
    assert measured(call(frames(late=0.3), is_socket=True))["gaps_heard_ms"] == pytest.approx(300, abs=10)


def test_a_clock_of_ours_that_ticks_unsteadily_is_no_gap() -> None:
    found = measured(call(frames(unsteady=0.019), is_socket=True))
    assert (found["missing_ms"], found["longest_gap_ms"]) == (0, 0)


def test_a_call_that_ended_early_or_was_not_answered_did_not_survive() -> None:
    assert not measured(call(rtp(), ended="response.created did not come within 12 s"))["survived"]
    unanswered = measured(call([p for p in rtp() if p.at < 8.5]))
    assert not unanswered["survived"]
    assert unanswered["second_audio_ms"] is None


def test_nothing_heard_is_no_gap_and_no_number() -> None:
    found = measured(call([]))
    assert found["first_audio_ms"] is found["gaps_heard_ms"] is found["missing_ms"] is None
    assert not found["survived"]
    assert measured(Timeline([CallEnded(at=1.0, reason="no answer")]))["setup_ms"] is None


def test_a_machine_that_was_late_spoils_a_call_whichever_end_it_was() -> None:
    late = PacingMeasured(at=10.0, side="upstream", packets=500, p50=1.0, p99=90.0, max=95.0)
    fine = PacingMeasured(at=10.0, packets=500, p50=1.0, p99=5.0, max=30.0)
    still = Stalled(at=3.0, side="upstream", seconds=0.4)
    assert spoilt(Timeline([fine])) == ""
    assert spoilt(Timeline([fine, late])) == "the upstream's sender was 90 ms late (p99), 95 ms at most"
    assert spoilt(Timeline([fine, still])) == "the upstream stood still for 0.40 s"
