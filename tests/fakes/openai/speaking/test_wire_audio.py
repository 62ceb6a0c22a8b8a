from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.audio import level_dbfs
from harness.fakes.openai.speaking import wire_audio
from harness.speech import generate

FORMATS = sorted(wire_audio.RATES)


@pytest.mark.parametrize("format_type", FORMATS)
def test_a_second_has_as_many_bytes_as_its_rate_says(format_type: str) -> None:
    data = wire_audio.encode(generate.tone((440.0,), 1000), format_type)
    assert len(data) == 1000 * wire_audio.BYTES_PER_MS[format_type]
    assert len(wire_audio.decode(data, format_type)) == wire_audio.RATES[format_type]


@pytest.mark.parametrize("format_type", FORMATS)
@pytest.mark.parametrize("level", [-40.0, -20.0, -6.0])
def test_a_tone_keeps_its_level(format_type: str, level: float) -> None:
    tone = generate.tone((440.0,), 1000, level_dbfs=level)
    heard = wire_audio.decode(wire_audio.encode(tone, format_type), format_type)
    assert level_dbfs(heard) == pytest.approx(level, abs=0.3)


@pytest.mark.parametrize(
    ("format_type", "code", "value"),
    [
        # ITU-T G.711, tables 1a to 2b: the ends and the middles of the scales.
        ("audio/pcmu", 0x00, -32124),
        ("audio/pcmu", 0x80, 32124),
        ("audio/pcmu", 0xFF, 0),
        ("audio/pcmu", 0x7F, 0),
        ("audio/pcma", 0x2A, -32256),
        ("audio/pcma", 0xAA, 32256),
        ("audio/pcma", 0xD5, 8),
        ("audio/pcma", 0x55, -8),
    ],
)
def test_g711_codes_have_their_standard_values(format_type: str, code: int, value: int) -> None:
    assert wire_audio.decode(bytes([code]), format_type).tolist() == [value]


@pytest.mark.parametrize("format_type", ["audio/pcmu", "audio/pcma"])
def test_every_g711_code_survives_decoding_and_encoding(format_type: str) -> None:
    values = wire_audio.decode(bytes(range(256)), format_type)
    narrow = np.repeat(values, 1)
    table = wire_audio.encoding_table(format_type)
    again = wire_audio.decode(table[narrow.astype(np.int32) + 32768].tobytes(), format_type)
    assert again.tolist() == values.tolist()


@given(data=st.binary(max_size=64), format_type=st.sampled_from(FORMATS))
def test_no_bytes_are_too_odd_to_decode(data: bytes, format_type: str) -> None:
    samples = wire_audio.decode(data, format_type)
    assert samples.dtype == np.int16
    assert len(samples) == len(data) * 1000 // (1000 * (2 if format_type == "audio/pcm" else 1))
