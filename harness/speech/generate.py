"""Signals made in code: the same seed gives the same samples. All are 48 kHz mono int16."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.core.audio import FULL_SCALE, Samples
from harness.core.audio_format import RATE

Signal = NDArray[np.float64]


class Noise(Protocol):
    """A kind of noise: the same seed gives the same samples."""

    def __call__(self, duration_ms: int, *, level_dbfs: float = ..., seed: int = ...) -> Samples: ...


# ITU-T Q.23: a row and a column for each key.
DTMF_ROWS = (697, 770, 852, 941)
DTMF_COLUMNS = (1209, 1336, 1477, 1633)
DTMF_KEYS = ("123A", "456B", "789C", "*0#D")

EDGE_MS = 5  # tones fade in and out over this, so that they do not click


def silence(duration_ms: int) -> Samples:
    """True silence: zeros."""
    return np.zeros(_count(duration_ms), np.int16)


def white_noise(duration_ms: int, *, level_dbfs: float = -40.0, seed: int = 0) -> Samples:
    """Gaussian noise, flat over the whole band."""
    return at_level(np.random.default_rng(seed).standard_normal(_count(duration_ms)), level_dbfs)


def pink_noise(duration_ms: int, *, level_dbfs: float = -40.0, seed: int = 0) -> Samples:
    """Noise that falls 3 dB an octave above 20 Hz, as rooms and crowds roughly do."""
    count = _count(duration_ms)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    audible = frequencies >= 20
    spectrum[audible] /= np.sqrt(frequencies[audible])
    spectrum[~audible] = 0
    return at_level(np.fft.irfft(spectrum, count), level_dbfs)


def tone(frequencies: tuple[float, ...], duration_ms: int, *, level_dbfs: float = -20.0) -> Samples:
    """Sines of equal strength in one, `level_dbfs` RMS in all."""
    time = np.arange(_count(duration_ms)) / RATE
    sines = np.sum([np.sin(2 * np.pi * frequency * time) for frequency in frequencies], axis=0)
    return _faded(at_level(sines, level_dbfs))


def dtmf(keys: str, *, level_dbfs: float = -20.0, on_ms: int = 100, off_ms: int = 100) -> Samples:
    """Telephone keys, each `on_ms` long and followed by a pause.

    Raises ValueError for what is no key of a telephone.
    """
    pause = silence(off_ms)
    pairs = [_dtmf_pair(key) for key in keys]
    return joined(*[part for pair in pairs for part in (tone(pair, on_ms, level_dbfs=level_dbfs), pause)])


def ringback(duration_ms: int, *, level_dbfs: float = -20.0) -> Samples:
    """What a European caller hears while it rings: 425 Hz, 1 s on and 4 s off (within ITU-T E.180)."""
    ring = joined(tone((425.0,), 1000, level_dbfs=level_dbfs), silence(4000))
    count = _count(duration_ms)
    return np.resize(ring, count)


def cough(*, level_dbfs: float = -20.0, seed: int = 0) -> Samples:
    """Two bursts of breath, as a cough is heard: noise without a voice, within a second.

    Each begins in 5 ms and dies away in some 60; most of it lies between 300 Hz and 3 kHz.
    """
    rng = np.random.default_rng(seed)
    parts = [silence(100)]
    for dying_ms, pause_ms in ((60, 180), (45, 300)):
        count = _count(250)
        time = np.arange(count) / RATE
        spectrum = np.fft.rfft(rng.standard_normal(count))
        frequencies = np.fft.rfftfreq(count, 1 / RATE)
        spectrum *= 1 / (1 + (300 / np.maximum(frequencies, 1)) ** 4) / (1 + (frequencies / 3000) ** 4)
        burst = np.fft.irfft(spectrum, count) * np.minimum(time / 0.005, 1) * np.exp(-1000 * time / dying_ms)
        parts += [at_level(burst, level_dbfs), silence(pause_ms)]
    return joined(*parts)


def joined(*parts: Samples) -> Samples:
    """One signal after the other."""
    return np.concatenate(parts) if parts else silence(0)


def at_level(signal: Signal, level_dbfs: float) -> Samples:
    """The signal scaled to an RMS level, peaks held at full scale; true silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(signal)))) if signal.size else 0.0
    if rms:
        signal = signal * (FULL_SCALE * 10 ** (level_dbfs / 20) / rms)
    return _as_samples(signal)


def mixed(speech: Samples, noise: Samples, *, snr_db: float) -> Samples:
    """Speech with noise under it, `snr_db` below the level of the speech's loudest 5 % of 20 ms frames.

    The noise is repeated or cut to the speech's length. Level over the loud frames, not the whole: pauses
    must not make the same noise count as louder.
    """
    size = RATE // 50
    frames = speech[: len(speech) // size * size].astype(np.float64).reshape(-1, size)
    loud = np.percentile(np.sqrt(np.mean(np.square(frames), axis=1)), 95) if len(frames) else 0.0
    floor = np.resize(noise, len(speech)).astype(np.float64)
    rms = np.sqrt(np.mean(np.square(floor))) if floor.size else 0.0
    gain = loud / 10 ** (snr_db / 20) / rms if rms else 0.0
    return _as_samples(speech.astype(np.float64) + gain * floor)


def _as_samples(signal: Signal) -> Samples:
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def _count(duration_ms: int) -> int:
    if duration_ms < 0:
        raise ValueError(f"a signal cannot last {duration_ms} ms")
    return duration_ms * RATE // 1000


def _dtmf_pair(key: str) -> tuple[float, float]:
    for row, keys in zip(DTMF_ROWS, DTMF_KEYS, strict=True):
        if len(key) == 1 and key in keys:
            return float(row), float(DTMF_COLUMNS[keys.index(key)])
    raise ValueError(f"{key!r} is no telephone key; keys are {''.join(DTMF_KEYS)}")


def _faded(samples: Samples) -> Samples:
    edge = min(EDGE_MS * RATE // 1000, len(samples) // 2)
    ramp = np.linspace(0, 1, edge, endpoint=False)
    signal = samples.astype(np.float64)
    signal[:edge] *= ramp
    signal[len(signal) - edge :] *= ramp[::-1]
    return _as_samples(signal)
