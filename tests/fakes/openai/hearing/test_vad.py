"""Segmentation against the fixtures' truth, in ms from the clip's start, padding and silence subtracted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import webrtcvad
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.fakes.openai.conversation.models import NEWEST
from harness.fakes.openai.conversation.session import turn_detection_defaults
from harness.fakes.openai.conversation.settings import (
    SEMANTIC_LONGEST_MS,
    SEMANTIC_SILENCE_MS,
    ConversationSettings,
)
from harness.fakes.openai.hearing.detectors import Engine, WebRtcDetector
from harness.fakes.openai.hearing.vad import Segmenter, SpeechStarted, SpeechStopped, TurnSettings
from harness.speech import generate, opus
from harness.speech.clip import Clip
from harness.speech.library import load_library
from harness.speech.pcm import resample

LIBRARY = load_library()
# Noise is mixed under them here; those that have their own lose their edges in it.
SPOKEN = [
    clip
    for clip in LIBRARY.values()
    if clip.speech and clip.role != "source" and "-in-noise-" not in clip.name
]
LEAD_MS, TAIL_MS, SILENCE_MS = 500, 1500, 500
TOLERANCE_MS = 100


def clean(samples: Samples) -> Samples:
    return samples


def white(samples: Samples) -> Samples:
    return generate.mixed(samples, generate.white_noise(len(samples) * 1000 // RATE, seed=1), snr_db=20)


def pink(samples: Samples) -> Samples:
    return generate.mixed(samples, generate.pink_noise(len(samples) * 1000 // RATE, seed=2), snr_db=20)


def through_opus(samples: Samples) -> Samples:
    decoder = opus.Decoder()
    return np.concatenate([decoder.decode(packet) for packet in opus.encode(samples)])


def segmented(
    samples: Samples,
    engine: Engine = "silero",
    turns: TurnSettings | None = None,
    *,
    rate: int = RATE,
    chunk_ms: int = 20,
) -> list[SpeechStarted | SpeechStopped]:
    segmenter = Segmenter(engine, rate=rate)
    if turns is not None:
        segmenter.configure(turns)
    size = rate * chunk_ms // 1000
    try:
        return [
            signal for i in range(0, len(samples), size) for signal in segmenter.push(samples[i : i + size])
        ]
    finally:
        segmenter.close()


def in_silence(samples: Samples) -> Samples:
    return generate.joined(generate.silence(LEAD_MS), samples, generate.silence(TAIL_MS))


def intervals(signals: Sequence[SpeechStarted | SpeechStopped], turns: TurnSettings) -> list[tuple[int, int]]:
    assert [type(signal) for signal in signals] == [SpeechStarted, SpeechStopped] * (len(signals) // 2)
    return [
        (
            start.audio_ms + turns.prefix_padding_ms - LEAD_MS,
            stop.audio_ms - turns.silence_duration_ms - LEAD_MS,
        )
        for start, stop in zip(signals[::2], signals[1::2], strict=True)
    ]


@pytest.mark.parametrize("condition", [clean, white, pink, through_opus])
@pytest.mark.parametrize("clip", SPOKEN, ids=lambda clip: clip.name)
def test_every_utterance_is_found_within_100_ms(clip: Clip, condition: Callable[[Samples], Samples]) -> None:
    turns = TurnSettings(silence_duration_ms=SILENCE_MS)
    found = intervals(segmented(condition(in_silence(clip.samples)), turns=turns), turns)
    true = clip.utterances(SILENCE_MS)
    assert len(found) == len(true), f"{found} for {true}"
    for (start, end), (true_start, true_end) in zip(found, true, strict=True):
        assert abs(start - true_start) <= TOLERANCE_MS, f"start {start} for {true_start}"
        assert abs(end - true_end) <= TOLERANCE_MS, f"end {end} for {true_end}"


@pytest.mark.parametrize("name", ["silence", "white-noise", "pink-noise"])
@pytest.mark.parametrize("condition", [clean, through_opus])
def test_silence_and_noise_make_no_turn(name: str, condition: Callable[[Samples], Samples]) -> None:
    assert segmented(condition(in_silence(LIBRARY.clip(name).samples))) == []


@pytest.mark.parametrize("level", [-60.0, -45.0, -30.0, -20.0])
@pytest.mark.parametrize("make", [generate.white_noise, generate.pink_noise])
def test_noise_of_any_level_makes_no_turn(make: Callable[..., Samples], level: float) -> None:
    assert segmented(make(4000, level_dbfs=level, seed=3)) == []


@pytest.mark.parametrize("clip", SPOKEN, ids=lambda clip: clip.name)
def test_the_cheaper_engine_finds_clean_speech_within_150_ms_of_its_start(clip: Clip) -> None:
    turns = TurnSettings(silence_duration_ms=SILENCE_MS)
    found = intervals(segmented(in_silence(clip.samples), "webrtc", turns), turns)
    true = clip.utterances(SILENCE_MS)
    assert len(found) == len(true), f"{found} for {true}"
    for (start, end), (true_start, true_end) in zip(found, true, strict=True):
        assert abs(start - true_start) <= 150
        assert abs(end - true_end) <= 300


def test_stamps_lie_on_the_detectors_grid() -> None:
    for engine, frame_ms in (("silero", 32), ("webrtc", 20)):
        signals = segmented(in_silence(LIBRARY.clip("es-two-utterances").samples), engine)  # type: ignore[arg-type]  # either
        assert len(signals) == 4
        assert [signal.audio_ms % frame_ms for signal in signals] == [0] * 4


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
def test_narrower_audio_is_segmented_alike(rate: int) -> None:
    samples = resample(in_silence(LIBRARY.clip("es-f-order").samples), RATE, rate)
    turns = TurnSettings()
    ((start, end),) = intervals(segmented(samples, turns=turns, rate=rate), turns)
    assert start == pytest.approx(270, abs=100)
    assert end == pytest.approx(3680, abs=100)


def test_a_longer_silence_duration_joins_two_utterances() -> None:
    clip = LIBRARY.clip("es-two-utterances")
    samples = generate.joined(clip.samples, generate.silence(2500))
    assert len(segmented(samples, turns=TurnSettings(silence_duration_ms=500))) == 4
    assert len(segmented(samples, turns=TurnSettings(silence_duration_ms=2000))) == 2


def test_the_padding_does_not_reach_before_the_audio_began() -> None:
    clip = LIBRARY.clip("es-f-order")
    first = segmented(clip.samples, turns=TurnSettings(prefix_padding_ms=2000))[0]
    assert first.audio_ms == 0


def test_a_higher_threshold_wants_louder_speech() -> None:
    clip = LIBRARY.clip("es-f-order")
    faint = generate.mixed(clip.samples, generate.pink_noise(clip.duration_ms, seed=1), snr_db=-3)
    low, high = (segmented(faint, turns=TurnSettings(threshold=t)) for t in (0.3, 0.99))
    assert len(low) > len(high)


def test_without_turn_detection_nothing_is_said_but_the_clock_runs_on() -> None:
    segmenter = Segmenter()
    segmenter.configure(None)
    clip = LIBRARY.clip("en-m-yes")
    assert segmenter.push(in_silence(clip.samples)) == []
    segmenter.configure(TurnSettings())
    before = segmenter.heard_ms
    started = segmenter.push(in_silence(clip.samples))[0]
    assert started.audio_ms - before + 300 - LEAD_MS == pytest.approx(clip.speech[0][0], abs=100)
    segmenter.close()


def test_clearing_forgets_the_utterance_in_progress() -> None:
    clip = LIBRARY.clip("es-f-order")
    segmenter = Segmenter()
    assert [type(s) for s in segmenter.push(clip.samples[: RATE * 2])] == [SpeechStarted]
    segmenter.clear()
    assert not segmenter.speaking
    assert [type(s) for s in segmenter.push(clip.samples[RATE * 2 :])] == [SpeechStarted]
    segmenter.close()


@pytest.mark.parametrize("engine", ["silero", "webrtc"])
def test_a_detector_that_is_used_again_judges_as_if_new(engine: Engine) -> None:
    samples = in_silence(LIBRARY.clip("en-f-order").samples)
    first = segmented(samples, engine)
    segmented(generate.white_noise(3000, level_dbfs=-20.0), engine)
    assert segmented(samples, engine) == first


@settings(max_examples=15, deadline=None)
@given(chunk_ms=st.integers(1, 400))
def test_how_the_audio_is_cut_into_pieces_makes_no_difference(chunk_ms: int) -> None:
    samples = in_silence(LIBRARY.clip("en-m-yes").samples)
    assert segmented(samples, chunk_ms=chunk_ms) == segmented(samples)


@pytest.mark.parametrize("eagerness", ["low", "medium", "high", "auto"])
def test_semantic_turn_detection_waits_longest_for_an_unfinished_sentence(eagerness: str) -> None:
    detection = {
        **turn_detection_defaults("semantic_vad", ConversationSettings(), NEWEST),
        "eagerness": eagerness,
    }
    finished = TurnSettings.of(detection)
    unfinished = TurnSettings.of(detection, finished=False)
    assert finished.silence_duration_ms == SEMANTIC_SILENCE_MS[eagerness]
    assert unfinished.silence_duration_ms == SEMANTIC_LONGEST_MS[eagerness]


def test_server_vad_is_followed_to_the_letter() -> None:
    detection = turn_detection_defaults("server_vad", ConversationSettings(silence_duration_ms=200), NEWEST)
    assert TurnSettings.of(detection) == TurnSettings(0.5, 300, 200)


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_the_cheap_detector_takes_audio_as_it_comes_or_resampled(rate: int) -> None:
    """Without resampling, where its rates allow; the speech is found all the same."""
    clip = LIBRARY.clip("en-f-order")
    signals = segmented(resample(in_silence(clip.samples), RATE, rate), "webrtc", rate=rate)
    assert [type(signal) for signal in signals] == [SpeechStarted, SpeechStopped] * (len(signals) // 2)
    assert signals
    start = signals[0].audio_ms + TurnSettings().prefix_padding_ms - LEAD_MS
    assert abs(start - clip.speech[0][0]) <= 2 * TOLERANCE_MS


@pytest.mark.parametrize("clip", SPOKEN[:4], ids=lambda clip: clip.name)
def test_silence_that_is_passed_over_changes_no_stamp(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.concatenate([generate.silence(LEAD_MS), clip.samples, generate.silence(TAIL_MS)])
    passed_over = _heard_by_webrtc(samples)
    monkeypatch.setattr(WebRtcDetector, "silence", lambda _self, _frames: None)
    assert _heard_by_webrtc(samples) == passed_over
    assert passed_over


def _heard_by_webrtc(samples: Samples) -> list[SpeechStarted | SpeechStopped]:
    segmenter = Segmenter("webrtc", rate=RATE)
    step = RATE // 10
    found = [
        signal for at in range(0, len(samples), step) for signal in segmenter.push(samples[at : at + step])
    ]
    segmenter.close()
    return found


def test_the_cheap_detector_is_asked_once_about_what_many_callers_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(WebRtcDetector, "_known", {})
    asked: list[int] = []

    def is_speech(_vad: webrtcvad.Vad, buffer: bytes, _rate: int) -> bool:
        asked.append(len(buffer))
        return True

    monkeypatch.setattr(webrtcvad.Vad, "is_speech", is_speech)
    frame = generate.white_noise(20, seed=1)[: RATE // 50]
    verdicts = [WebRtcDetector().probability(frame, RATE, -20.0) for _ in range(5)]
    assert len(asked) == 1
    assert set(verdicts) == {1 / 3}


@pytest.mark.parametrize("voiced", range(4))
def test_silence_at_once_is_what_silence_frame_by_frame_is(
    voiced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WebRtcDetector, "_known", {})
    monkeypatch.setattr(webrtcvad.Vad, "is_speech", lambda *_: True)
    at_once, one_by_one = WebRtcDetector(), WebRtcDetector()
    frame, silence = generate.white_noise(20, seed=1)[: RATE // 50], np.zeros(RATE // 50, np.int16)
    for detector in (at_once, one_by_one):
        for _ in range(voiced):
            detector.probability(frame, RATE, -20.0)
    asked = [one_by_one.probability(silence, RATE, -96.0) for _ in range(5)]
    assert at_once.silence(5) == asked == sorted(asked, reverse=True)
    assert at_once.silence(1) == [0.0]
