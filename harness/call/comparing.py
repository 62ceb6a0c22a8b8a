"""What was heard against what the fake says it played: the marks of calls, and intelligibility.

Done when no call is under way: it takes long enough to hold up a call's packets.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.events import AudioCompared, AudioPlayed, MarkHeard
from harness.core.extras import is_installed
from harness.core.naming import name_of
from harness.core.timeline import Timeline
from harness.speech.library import Library
from harness.speech.marks import call_mark, mark_name, read_mark

Signal = npt.NDArray[np.float64]

EARLY, LATE = 0.3, 1.5  # seconds: what is heard may lie this much beside what was played (jitter, stalls)
UNHEARD_MS = 200  # of what was played last: a hang-up may cut it off on its way
SHORTEST_MS = 1000  # STOI needs 30 frames of 12.8 ms that are not silent


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
            score = intelligibility(part, window) if is_installed("quality") else None
            if score is not None:
                timeline.append(AudioCompared(at=played.at, clip=clip.name, stoi=round(score, 3)))


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
    size = 1 << (len(played) + len(heard)).bit_length()
    spectrum = np.conj(np.fft.rfft(played, size)) * np.fft.rfft(heard, size)
    last = max(1, len(heard) - len(played) // 2)
    return int(np.argmax(np.fft.irfft(spectrum, size)[:last]))


def _sample(at: float) -> int:
    return max(0, round(at * RATE))
