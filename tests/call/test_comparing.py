"""What was heard is found, scored, and told from another call's audio."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from harness.call.comparing import beginning_lost, compare_audio, intelligibility
from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.events import (
    AudioCompared,
    AudioPlayed,
    AudioSent,
    BeginningCompared,
    CallStarted,
    MarkHeard,
)
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from harness.speech import generate, opus
from harness.speech.clip import Clip
from harness.speech.library import Library, own_fixtures
from harness.speech.marks import call_mark, mark_name, marked_tone

LIBRARY = Library(own_fixtures())
REPLIES = [clip for clip in LIBRARY.values() if clip.role == "assistant"]
REPLY = REPLIES[0]
LEAST = 0.75  # the default limit


def decoded(packets: list[bytes]) -> Samples:
    decoder = opus.Decoder()
    heard: Samples = np.concatenate([decoder.decode(packet) for packet in packets])
    return heard


def compared(
    heard: Samples,
    *,
    clip: str = REPLY.name,
    at: float = 2.0,
    played_at: float = 2.0,
    duration_ms: int = REPLY.duration_ms,
    played_ms: int = REPLY.duration_ms,
) -> Timeline:
    """A call that heard this from `at` seconds on, while the fake played the clip from `played_at` on."""
    played = AudioPlayed(
        at=played_at + played_ms / 1000,
        side="upstream",
        clip=clip,
        duration_ms=duration_ms,
        played_ms=played_ms,
    )
    timeline = Timeline([CallStarted(at=0.0, call="1", ufrag="abcd"), played])
    compare_audio(timeline, generate.joined(generate.silence(round(at * 1000)), heard), LIBRARY)
    return timeline


def score(timeline: Timeline) -> float:
    found = timeline.first(AudioCompared)
    assert found is not None
    return found.stoi


@pytest.mark.parametrize("clip", REPLIES, ids=lambda clip: clip.name)
def test_a_reply_that_came_through_the_codec_is_understood(clip: Clip) -> None:
    assert (intelligibility(clip.samples, decoded(list(clip.packets))) or 0.0) > 0.95


@pytest.mark.parametrize("late", [-0.2, 0.0, 0.13, 1.1])
def test_a_reply_is_found_where_it_was_heard(late: float) -> None:
    assert score(compared(decoded(list(REPLY.packets)), at=2.0 + late)) > 0.95


@pytest.mark.parametrize("window_ms", [60, 200, 1000])
def test_packets_in_disorder_are_not_understood(window_ms: int) -> None:
    packets, size, rng = list(REPLY.packets), window_ms // 20, random.Random(3)
    windows = [packets[i : i + size] for i in range(0, len(packets), size)]
    for window in windows:
        rng.shuffle(window)
    heard = decoded([packet for window in windows for packet in window])
    assert score(compared(heard)) < LEAST


def test_another_reply_than_was_played_is_not_understood() -> None:
    assert score(compared(decoded(list(REPLIES[1].packets)))) < LEAST


def test_what_was_not_heard_at_all_scores_nothing() -> None:
    assert score(compared(generate.silence(500))) < 0.1
    assert score(compared(np.zeros(0, np.int16))) < 0.1


def test_of_an_interrupted_reply_the_part_that_was_played_counts() -> None:
    heard = decoded(list(REPLY.packets))[: 2 * RATE]
    assert score(compared(heard, played_ms=2000)) > 0.9


def test_too_little_to_tell_is_not_compared() -> None:
    assert compared(decoded(list(REPLY.packets)), played_ms=900).first(AudioCompared) is None
    a_syllable = generate.joined(REPLY.samples[RATE : RATE + RATE // 5], generate.silence(2000))
    assert intelligibility(a_syllable, a_syllable) is None


@pytest.mark.parametrize("clip", ["echo", "tone-440", "a-clip-of-another-machine"])
def test_what_is_no_speech_of_ours_is_not_compared(clip: str) -> None:
    assert compared(decoded(list(REPLY.packets)), clip=clip).first(AudioCompared) is None


def test_a_clip_of_the_same_name_with_another_length_is_not_ours() -> None:
    assert compared(decoded(list(REPLY.packets)), duration_ms=1234).first(AudioCompared) is None


@pytest.mark.parametrize(("ufrag", "outcome"), [("abcd", Outcome.PASSED), ("other", Outcome.FAILED)])
def test_a_calls_own_tone_is_told_from_anothers(ufrag: str, outcome: Outcome) -> None:
    heard = decoded(list(opus.encode(marked_tone(call_mark(ufrag), 1500))))
    timeline = compared(heard, clip=mark_name(call_mark(ufrag)), duration_ms=1500, played_ms=1500)
    mark = timeline.first(MarkHeard)
    assert mark is not None
    assert (mark.heard, mark.expected) == (mark_name(call_mark(ufrag)), mark_name(call_mark("abcd")))
    requirement = REGISTRY.get("audio.own-audio")
    assert judge([timeline], [requirement])[0].outcome == outcome


def test_speech_carries_no_mark() -> None:
    assert compared(decoded(list(REPLY.packets))).first(MarkHeard) is None


# --- the beginning ---

BEGINS_MS = REPLY.speech[0][0]  # silence before
OFF_MS = 60  # by so much the first sound that stands out differs from where speech is said to begin


def around(heard: Samples) -> Samples:
    return generate.joined(generate.silence(300), heard, generate.silence(1500))


def swallowed(ms: int) -> Samples:
    """The rest in its place."""
    return decoded([opus.SILENCE] * (ms // 20) + list(REPLY.packets[ms // 20 :]))


def skipped(ms: int) -> Samples:
    """The rest at once."""
    return decoded(list(REPLY.packets))[ms * RATE // 1000 :]


@pytest.mark.parametrize("clip", REPLIES, ids=lambda clip: clip.name)
def test_of_what_came_whole_no_beginning_is_missing(clip: Clip) -> None:
    assert beginning_lost(clip.samples, around(decoded(list(clip.packets)))) == 0


@pytest.mark.parametrize("make", [swallowed, skipped])
@pytest.mark.parametrize("ms", [400, 600, 2500])
def test_a_beginning_that_is_cut_off_is_measured(ms: int, make: Callable[[int], Samples]) -> None:
    lost = beginning_lost(REPLY.samples, around(make(ms)))
    assert lost is not None
    # What is cut off may end in a pause, which nobody misses.
    assert ms - BEGINS_MS - OFF_MS <= lost <= ms - BEGINS_MS + OFF_MS


def test_an_interrupted_reply_began_where_it_should() -> None:
    heard = decoded(list(REPLY.packets))[: 3 * RATE // 2]
    assert beginning_lost(REPLY.samples, around(heard)) == 0


@pytest.mark.parametrize(
    "heard",
    [
        decoded(list(REPLIES[1].packets)),
        generate.pink_noise(8000, level_dbfs=-30.0, seed=1),
        generate.tone((440.0,), 8000),
        generate.silence(8000),
        generate.silence(0),
    ],
    ids=["another reply", "noise", "a tone", "silence", "nothing"],
)
def test_of_what_is_unlike_it_no_beginning_is_told(heard: Samples) -> None:
    assert beginning_lost(REPLY.samples, heard) is None


@pytest.mark.parametrize("lost_ms", [0, 600])
def test_what_was_sent_over_a_websocket_may_be_played_late_or_ahead(lost_ms: int) -> None:
    sent = AudioSent(at=2.0, side="upstream", clip=REPLY.name, duration_ms=REPLY.duration_ms)
    timeline = Timeline([CallStarted(at=0.0, call="1", ufrag="abcd"), sent])
    heard = generate.joined(generate.silence(2700), skipped(lost_ms), generate.silence(2000))
    compare_audio(timeline, heard, LIBRARY)
    found = timeline.first(BeginningCompared)
    assert found is not None
    assert (found.lost_ms > 200) == (lost_ms > 200)
    assert timeline.first(AudioCompared) is None  # an interruption may have cut it short: nobody says
