"""Audio as WebSocket events carry it: 16 bit little-endian PCM at 24 kHz, or G.711 at 8 kHz."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.speech.pcm import resample

BYTES_PER_MS = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}
RATES = {"audio/pcm": 24_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}

# ITU-T G.711: a sign bit, a segment of three bits, a step of four; μ-law bytes are inverted, A-law even bits.
_MU_BIAS = 132


def encode(samples: Samples, format_type: str) -> bytes:
    """48 kHz samples in a format of `RATES`."""
    narrow = resample(samples, RATE, RATES[format_type])
    if format_type == "audio/pcm":
        return narrow.astype("<i2").tobytes()
    return encoding_table(format_type)[narrow.astype(np.int32) + 32_768].tobytes()


def decode(data: bytes, format_type: str) -> Samples:
    """Samples at the format's own rate; half a sample at the end is left out."""
    if format_type == "audio/pcm":
        return np.frombuffer(data[: len(data) & ~1], "<i2").astype(np.int16)
    table = _mu_law_decoding() if format_type == "audio/pcmu" else _a_law_decoding()
    return table[np.frombuffer(data, np.uint8)]


@cache
def _mu_law_decoding() -> Samples:
    code = ~np.arange(256) & 0xFF
    segment, step = code >> 4 & 7, code & 15
    magnitude = ((step << 3) + _MU_BIAS << segment) - _MU_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


@cache
def _a_law_decoding() -> Samples:
    code = np.arange(256) ^ 0x55
    segment, step = code >> 4 & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, (step << 4) + 264 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@cache
def encoding_table(format_type: str) -> NDArray[np.uint8]:
    """For each sample from -32768, the G.711 code whose value is nearest."""
    return _nearest(_mu_law_decoding() if format_type == "audio/pcmu" else _a_law_decoding())


def _nearest(decoding: Samples) -> NDArray[np.uint8]:
    codes = np.argsort(decoding, kind="stable")
    values = decoding[codes].astype(np.int32)
    halfway = (values[:-1] + values[1:]) / 2
    return codes[np.searchsorted(halfway, np.arange(-32_768, 32_768))].astype(np.uint8)
