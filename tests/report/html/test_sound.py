from __future__ import annotations

import io

import av
import numpy as np
import pytest

from harness.core.audio import Samples, level_dbfs
from harness.core.events import CallEnded, Event, MicrophoneChanged, UtteranceEnded, UtteranceStarted
from harness.core.timeline import Timeline
from harness.report.html.sound import BIT_RATE, as_webm, peaks, said
from tests.report.html.runs import CLIP, clips, tone

RATE = 48_000


def spoken(at: float = 1.0, *, muted: bool = False) -> UtteranceStarted:
    clip = clips()[CLIP]
    return UtteranceStarted(
        at=at, clip=CLIP, duration_ms=clip.duration_ms, speech=tuple(clip.speech), muted=muted
    )


def heard(*events: Event) -> Samples:
    return said(Timeline(events), clips())


def decoded(webm: bytes) -> Samples:
    """Samples of both channels, (n, 2), 48 kHz."""
    with av.open(io.BytesIO(webm), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames])


def test_a_clip_sounds_where_its_first_packet_went_out() -> None:
    sound = heard(spoken(1.0), CallEnded(at=9.0, reason=""))
    assert not sound[:RATE].any()
    assert np.array_equal(sound[RATE:], clips()[CLIP].samples)


def test_a_clip_that_was_broken_off_ends_there() -> None:
    sound = heard(spoken(1.0), UtteranceEnded(at=2.5, clip=CLIP, cut=True), CallEnded(at=9.0, reason=""))
    assert len(sound) == round(2.5 * RATE)


def test_the_call_ends_what_is_still_being_said() -> None:
    assert len(heard(spoken(1.0), CallEnded(at=2.0, reason=""))) == 2 * RATE


@pytest.mark.parametrize("muted_from", ["before it", "within it"])
def test_muted_speech_is_silent(muted_from: str) -> None:
    if muted_from == "before it":
        events: list[Event] = [MicrophoneChanged(at=0.5, muted=True), spoken(1.0, muted=True)]
        assert not heard(*events).any()
        return
    sound = heard(spoken(1.0), MicrophoneChanged(at=2.0, muted=True), MicrophoneChanged(at=3.0, muted=False))
    assert sound[: 2 * RATE].any()
    assert not sound[2 * RATE : 3 * RATE].any()
    assert sound[3 * RATE :].any()


def test_a_clip_that_is_gone_from_the_fixtures_is_silence() -> None:
    assert said(Timeline([spoken()]), {}).size == 0


def test_the_caller_is_left_and_the_relay_right_each_at_its_time() -> None:
    both = decoded(as_webm(tone(3.0, start=1.0), tone(4.0, start=2.5)))
    assert len(both) / RATE == pytest.approx(4.0, abs=0.1)
    for channel, onset, end in ((0, 1.0, 3.0), (1, 2.5, 4.0)):
        before = both[: round((onset - 0.1) * RATE), channel]
        during = both[round((onset + 0.1) * RATE) : round((end - 0.1) * RATE), channel]
        assert level_dbfs(before) < -50
        assert level_dbfs(during) > -20


def test_one_silent_end_is_no_trouble() -> None:
    assert len(decoded(as_webm(tone(1.0), np.zeros(0, np.int16)))) / RATE == pytest.approx(1.0, abs=0.1)


def test_a_second_of_sound_takes_no_more_than_its_bit_rate() -> None:
    seconds = 20
    speech = np.tile(clips()[CLIP].samples, 6)[: seconds * RATE]
    assert len(as_webm(speech, np.roll(speech, RATE))) < 1.2 * seconds * BIT_RATE / 8


def test_peaks_show_where_it_is_loud() -> None:
    found = peaks(tone(2.0, start=1.0, level=0.5), 4.0, 8)
    assert found == pytest.approx([0, 0, 0.5, 0.5, 0, 0, 0, 0], abs=0.01)
