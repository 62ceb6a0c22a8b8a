"""What was heard against what the fake says it played: marks of calls, the beginning, and intelligibility.

Done when no call is under way: it takes long enough to hold up a call's packets.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from harness.core.audio import AUDIBLE_DBFS, FULL_SCALE, SILENCE_DBFS, Samples, level_dbfs
from harness.core.audio_format import FRAME_MS, FRAME_SAMPLES, RATE
from harness.core.events import AudioCompared, AudioPlayed, AudioSent, BeginningCompared, MarkHeard
from harness.core.extras import is_installed
from harness.core.naming import name_of
from harness.core.timeline import Timeline
from harness.speech.library import Library
from harness.speech.marks import call_mark, mark_name, read_mark

Signal = npt.NDArray[np.float64]

EARLY, LATE = 0.3, 1.5  # seconds: what is heard may lie this much beside what was played (jitter, stalls)
UNHEARD_MS = 200  # of what was played last: a hang-up may cut it off on its way
SHORTEST_MS = 1000  # STOI needs 30 frames of 12.8 ms that are not silent
HELD = 3.0  # seconds that who plays what came over a WebSocket may hold it back, or be ahead
FAINTER_DB = 20.0  # than it was played: what is left of a sound that leaks through is not that sound
THE_SAME = 0.7  # correlation of samples above which it is the same sound, through any codec
ALIKE = 0.6  # correlation of levels below which nobody can say that this is what was played


def compare_audio(timeline: Timeline, heard: Samples, library: Library) -> None:
    """Add to the timeline what came of each reply that the fake played. `heard`: 48 kHz, from 0 on."""
    name = name_of(timeline)
    for played in timeline.all(AudioPlayed, side="upstream"):
        began = played.at - played.played_ms / 1000
        window = heard[_sample(began - EARLY) : _sample(played.at + LATE)]
        mark = read_mark(window)
        if mark is not None and name:
            own = mark_name(call_mark(name))
            timeline.append(MarkHeard(at=played.at, heard=mark_name(mark), expected=own))
        clip = library.get(played.clip)
        # A fake elsewhere may have other fixtures of the same names.
        if clip is not None and clip.speech and clip.duration_ms == played.duration_ms:
            part = clip.samples[: max(0, played.played_ms - UNHEARD_MS) * RATE // 1000]
            _compare_beginning(timeline, played.at, clip.name, part, window)
            score = intelligibility(part, window) if is_installed("quality") else None
            if score is not None:
                timeline.append(AudioCompared(at=played.at, clip=clip.name, stoi=round(score, 3)))
    for sent in timeline.all(AudioSent, side="upstream"):
        clip = library.get(sent.clip)
        if clip is not None and clip.speech and clip.duration_ms == sent.duration_ms:
            window = heard[_sample(sent.at - EARLY) : _sample(sent.at + sent.duration_ms / 1000 + HELD)]
            _compare_beginning(timeline, sent.at, clip.name, clip.samples, window)


def _compare_beginning(timeline: Timeline, at: float, clip: str, played: Samples, window: Samples) -> None:
    lost = beginning_lost(played, window)
    if lost is not None:
        timeline.append(BeginningCompared(at=at, clip=clip, lost_ms=lost))


def beginning_lost(played: Samples, heard: Samples) -> int | None:
    """Ms from the first sound of `played` to the first of it that is found in `heard`.

    None where too little was played, or what was heard is too unlike it to say. Who drops the beginning may
    play the rest earlier, so it may have begun before `heard` does.
    """
    if len(played) < SHORTEST_MS * RATE // 1000 or len(heard) < SHORTEST_MS * RATE // 1000:
        return None
    before = np.zeros(round(HELD * RATE), np.int16)
    padded = np.concatenate([before, heard])
    lag = _lag(played.astype(np.float64), padded.astype(np.float64))
    was, came = _levels(played), _levels(padded[lag : lag + len(played)])
    came = np.concatenate([came, np.full(len(was) - len(came), SILENCE_DBFS)])
    sounding = np.flatnonzero(was >= AUDIBLE_DBFS)
    found = np.flatnonzero((was >= AUDIBLE_DBFS) & (came >= np.maximum(AUDIBLE_DBFS, was - FAINTER_DB)))
    if not len(found) or not _alike(was[found[0] :], came[found[0] :]):
        return None
    first, lost = int(sounding[0]), int(found[0] - sounding[0])
    missing = played[first * FRAME_SAMPLES : (first + lost) * FRAME_SAMPLES]
    return 0 if _came_apart(missing, padded) else lost * FRAME_MS


def _came_apart(missing: Samples, heard: Samples) -> bool:
    """Whether what is missing in its place came in another, as where the sender stood still in between."""
    if not len(missing):
        return False
    sound, around = missing.astype(np.float64), heard.astype(np.float64)
    energies = np.concatenate([[0.0], np.cumsum(np.square(around))])
    energy = energies[len(sound) :] - energies[: -len(sound)]
    least = len(sound) * (FULL_SCALE * 10 ** (AUDIBLE_DBFS / 20)) ** 2  # next to silence, all is alike
    products = _correlation(sound, around)[: len(energy)]
    return bool(np.max(products / np.sqrt(sound.dot(sound) * np.maximum(energy, least))) >= THE_SAME)


def _levels(samples: Samples) -> Signal:
    """Of each 20 ms, in dBFS."""
    count = len(samples) // FRAME_SAMPLES
    frames = samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES)
    return np.array([level_dbfs(frame) for frame in frames], np.float64)


def _alike(was: Signal, came: Signal) -> bool:
    """Whether both grow loud and faint together, from the first of it to the last that came."""
    heard = came[: 1 + int(np.flatnonzero(came >= AUDIBLE_DBFS)[-1])]
    if len(heard) * FRAME_MS < SHORTEST_MS // 2:
        return False
    with np.errstate(invalid="ignore"):  # what is equally loud all the time is like nothing
        return bool(
            np.corrcoef(
                np.maximum(was[: len(heard)], AUDIBLE_DBFS - 10), np.maximum(heard, AUDIBLE_DBFS - 10)
            )[0, 1]
            >= ALIKE
        )


def intelligibility(played: Samples, heard: Samples) -> float | None:
    """STOI, 0 to 1, of `played` where it is found best in `heard`; None where too little was played.

    Taal et al. 2011. What was not heard at all counts as heard as silence.
    """
    if len(played) < SHORTEST_MS * RATE // 1000:
        return None
    from pystoi import stoi  # SciPy: a second that only those who compare have to wait

    clean = played.astype(np.float64)
    found = np.zeros(len(clean))
    lag = _lag(clean, heard.astype(np.float64))
    piece = heard[lag : lag + len(clean)]
    found[: len(piece)] = piece
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(np.clip(stoi(clean, found, RATE), 0.0, 1.0))
        except RuntimeWarning:  # too few frames are left without silence
            return None


def _lag(played: Signal, heard: Signal) -> int:
    """Where in `heard` the cross-correlation with `played` is highest, in samples."""
    last = max(1, len(heard) - len(played) // 2)
    return int(np.argmax(_correlation(played, heard)[:last]))


def _correlation(played: Signal, heard: Signal) -> Signal:
    """The cross-correlation by the samples that `played` is moved by, from 0 on."""
    size = 1 << (len(played) + len(heard)).bit_length()
    spectrum = np.conj(np.fft.rfft(played, size)) * np.fft.rfft(heard, size)
    found: Signal = np.fft.irfft(spectrum, size)
    return found


def _sample(at: float) -> int:
    return max(0, round(at * RATE))
