"""Audio files and sample rates. Everything inside the harness is 48 kHz mono int16, Opus's own rate."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError


def read_audio(path: Path) -> Samples:
    """The samples of an audio file at 48 kHz, channels mixed to one.

    Raises UsageError, naming the file, when it is missing, is no audio or holds none.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UsageError(f"{path} holds no audio stream", "use a mono FLAC or WAV file")
            resampler = Resampler()
            chunks = [resampler.push_frame(frame) for frame in container.decode(audio=0)]
            samples = np.concatenate([*chunks, resampler.flush()])
    except FileNotFoundError as error:
        raise UsageError(
            f"the audio file {path} does not exist", "restore it, or fix the manifest"
        ) from error
    except (FFmpegError, OSError) as error:
        raise UsageError(f"{path} cannot be read as audio: {error}", "use a mono FLAC or WAV file") from error
    if not samples.size:
        raise UsageError(f"{path} holds no samples", "use a mono FLAC or WAV file")
    return samples


class Resampler:
    """A stream from any rate, format and channel count to mono int16 at `rate`; its output is not delayed.

    Feed frames or samples in order, then `flush` once.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)

    def push_frame(self, frame: av.AudioFrame) -> Samples:
        """What the frame adds to the output; it can be empty."""
        return _joined(self._resampler.resample(frame))

    def push(self, samples: Samples, rate: int) -> Samples:
        """What mono samples at `rate` add to the output; it can be empty."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        return self.push_frame(frame)

    def flush(self) -> Samples:
        """What the filter still holds."""
        return _joined(self._resampler.resample(None))


def resample(samples: Samples, rate: int, to: int) -> Samples:
    """A whole signal from one rate to another."""
    if rate == to or not samples.size:
        return samples
    resampler = Resampler(to)
    return np.concatenate([resampler.push(samples, rate), resampler.flush()])


def _joined(frames: list[av.AudioFrame]) -> Samples:
    if not frames:
        return np.zeros(0, np.int16)
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16, copy=False)
