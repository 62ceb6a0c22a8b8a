"""A call to listen to: the caller left, the relay right, each at its true time; small enough to embed."""

from __future__ import annotations

import io
from collections.abc import Mapping

import av
import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.events import UtteranceStarted
from harness.core.speech import end_of_clip, muted_intervals
from harness.core.timeline import Timeline
from harness.speech.clip import Clip

# Of both channels together, some 5 kB for each second. At half of it the codec mixes them (intensity stereo,
# RFC 6716, section 4.3.4.1), and a clean relay sounds as if it echoed its caller.
BIT_RATE = 48_000
# CELT alone at the least effort: some 400 times faster than real time, and speech stays easy to judge by ear.
CODEC_OPTIONS = {"application": "audio", "compression_level": "0", "frame_duration": "60"}


def said(timeline: Timeline, clips: Mapping[str, Clip]) -> Samples:
    """What the caller sent, 48 kHz mono from the timeline's zero on, rebuilt from its clips.

    Muted stretches are silent, and so is a clip that is not among `clips`.
    """
    pieces = []
    for started in timeline.all(UtteranceStarted):
        clip = clips.get(started.clip)
        if clip is None or started.muted:
            continue
        longest = _position(min(end_of_clip(timeline, started), started.at + clip.duration_ms / 1000))
        start = _position(started.at)
        pieces.append((start, clip.samples[: longest - start]))
    sound = np.zeros(max((start + len(piece) for start, piece in pieces), default=0), dtype=np.int16)
    for start, piece in pieces:
        sound[start : start + len(piece)] = piece
    for start_at, end_at in muted_intervals(timeline):
        sound[_position(start_at) : None if end_at == float("inf") else _position(end_at)] = 0
    return sound


def as_webm(left: Samples, right: Samples) -> bytes:
    """Two channels as Opus in WebM, which browsers play and seek in; the shorter ends in silence."""
    length = max(len(left), len(right))
    both = np.zeros((length, 2), dtype=np.int16)
    both[: len(left), 0] = left
    both[: len(right), 1] = right
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=RATE, options=CODEC_OPTIONS)
        stream.codec_context.layout = "stereo"
        stream.codec_context.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(both.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return buffer.getvalue()


def peaks(samples: Samples, seconds: float, count: int) -> list[float]:
    """The largest absolute value (0 to 1) in each of `count` equal parts of `seconds`; silence beyond."""
    length = max(1, round(seconds * RATE))
    whole = np.zeros(length, dtype=np.int32)
    whole[: len(samples)] = samples[:length]
    edges = np.linspace(0, length, count, endpoint=False, dtype=np.int64)
    return [float(v) for v in np.maximum.reduceat(np.abs(whole), edges) / 32768]


def _position(at: float) -> int:
    return max(0, round(at * RATE))
