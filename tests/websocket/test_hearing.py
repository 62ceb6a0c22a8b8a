from __future__ import annotations

import numpy as np
import pytest

from harness.core.events import Event, PacketsReceived, StretchHeard
from harness.core.reception import reception
from harness.core.timeline import Timeline
from harness.speech.pcm import resample
from harness.websocket.hearing import PlayedAudio
from harness.websocket.player import FRAME, RATE

LOUD = np.tile(np.array([9000, -9000], np.int16), FRAME // 2)
SILENT = np.zeros(FRAME, np.int16)


def test_frames_are_recorded_as_packets_and_a_gap_is_a_stall() -> None:
    timeline = Timeline()
    played = PlayedAudio(timeline.append, resample)
    at = 1.0
    for number in range(60):
        at += 0.02 if number != 30 else 0.42
        played.frame(at, LOUD, goes_on=number > 0)
    played.flush()
    packets = timeline.packets()
    assert len(packets) == 60
    assert len(timeline.all(PacketsReceived)) == 2
    found = reception(packets)
    assert found.lost == 0
    assert found.stall == pytest.approx(0.4, abs=0.001)
    assert played.last_audible == pytest.approx(at)


def test_a_pause_between_two_replies_is_no_stall() -> None:
    timeline = Timeline()
    played = PlayedAudio(timeline.append, resample)
    for at, frame, goes_on in (
        (1.0, LOUD, False),
        (1.02, SILENT, True),
        (3.0, LOUD, False),
        (3.02, LOUD, True),
    ):
        played.frame(at, frame, goes_on=goes_on)
    played.flush()
    assert reception(timeline.packets()).stall < 0.01


def test_what_was_heard_lies_at_its_time() -> None:
    played = PlayedAudio(lambda _event: None, resample)
    for n in range(10):
        played.frame(2.0 + n * 0.02, LOUD, goes_on=n > 0)
    samples = played.samples()
    assert len(samples) == pytest.approx(48_000 * 2.2, abs=3 * 960)
    assert not samples[: 48_000 * 2 - 1000].any()
    assert np.abs(samples[2 * 48_000 + 2000 : 2 * 48_000 + 6000]).max() > 1000
    assert not PlayedAudio(lambda _event: None, resample).samples().size
    assert RATE * 2 == 48_000


def test_a_light_one_keeps_stretches() -> None:
    events: list[Event] = []
    played = PlayedAudio(events.append, resample, light=True)
    at = 0.0
    for frame, frames in ((LOUD, 10), (SILENT, 5), (LOUD, 10)):
        for _ in range(frames):
            at += 0.02
            played.frame(at, frame, goes_on=at > 0.03)
    played.flush()
    found = [e for e in events if isinstance(e, StretchHeard)]
    assert [(s.audible, s.packets) for s in found] == [(True, 10), (False, 5), (True, 10)]
    assert found[0].media_ms == 200
    assert not played.samples().size
