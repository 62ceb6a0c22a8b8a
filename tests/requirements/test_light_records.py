"""A call recorded lightly, as load does, is judged as the same call recorded whole."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.audio import AUDIBLE_DBFS
from harness.core.clock import ManualClock, RelativeClock
from harness.core.events import PacketsReceived, StretchHeard
from harness.core.stages import durations
from harness.core.timeline import Timeline
from harness.peer.heard_lightly import PAUSE, ReceivedAudioLight
from harness.peer.rtcp import StreamStatistics
from harness.requirements import REGISTRY, judge
from harness.speech.opus import SILENCE
from tests.requirements.audio_cases import arriving
from tests.requirements.cases import CASES, Case
from tests.requirements.test_causes import FOUND
from tests.support.timelines import healthy_events, timeline_of

# What only a record of each packet can tell; packets in bursts show as jitter.
UNKNOWN = {
    "ten_packets_at_a_time": {("audio.clean", "jitter")},
    "as_from_far_away": {("audio.comes-back", "silent-audio")},
    "a_tenth_of_the_samples_at_full_scale": set(),
}


def lightly(timeline: Timeline) -> Timeline:
    """The same call, its packets heard by the light ear."""
    light = Timeline(event for event in timeline if not isinstance(event, PacketsReceived))
    loud = np.full(960, 8000, np.int16)
    ear = ReceivedAudioLight(light.append, RelativeClock(ManualClock(0.0)), lambda: lambda _payload: loud)
    streams: dict[int, StreamStatistics] = {}
    for batch in timeline.all(PacketsReceived):
        stream = streams.setdefault(batch.ssrc, StreamStatistics(batch.ssrc))
        for packet in batch.packets:
            audible = packet.dbfs is not None and packet.dbfs >= AUDIBLE_DBFS
            sequence = stream.add(packet.sequence, packet.timestamp, packet.at)
            payload = b"sound" * 16 if audible else SILENCE
            ear.packet(packet.at, sequence, packet.timestamp, payload, stream)
    ear.flush()
    return light


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_light_record_is_judged_as_a_whole_one(case: Case) -> None:
    verdicts = judge([lightly(call) for call in case.calls()], REGISTRY)
    found = {(v.id, v.cause) for v in verdicts if v.outcome in FOUND}
    assert found == UNKNOWN.get(case.name, {(case.requirement, case.cause)})


def test_a_healthy_call_recorded_lightly_is_healthy_and_as_fast() -> None:
    whole = timeline_of(healthy_events())
    light = lightly(whole)
    assert [v for v in judge([light], REGISTRY) if v.outcome in FOUND] == []
    assert light.all(StretchHeard, where=lambda s: s.audible)
    slack = PAUSE * 0.02
    for stage, seconds in durations(whole).items():
        assert durations(light)[stage] == pytest.approx(seconds, abs=slack if stage == "turn" else 1e-6)


def test_a_wait_that_is_made_up_for_is_a_gap_and_no_pace() -> None:
    """Whole or light: what was held for 0.8 s came at once, and the rest as it plays."""
    held = timeline_of(arriving(lambda i: 0.8 - (i - 75) * 0.0199 if 75 <= i < 115 else 0.0))
    for call in (held, lightly(held)):
        found = [v for v in judge([call], REGISTRY) if v.id == "audio.clean"]
        assert [v.cause for v in found] == ["gaps"]
        assert "wrong-pace" not in found[0].explanation
