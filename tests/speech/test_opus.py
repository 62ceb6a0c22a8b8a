from contextlib import suppress

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.audio import AUDIBLE_DBFS, SILENCE_DBFS, Samples, level_dbfs
from harness.core.audio_format import FRAME_SAMPLES, RATE
from harness.speech import generate, opus
from harness.speech.library import Library, own_fixtures
from harness.speech.marks import marked_tone
from tests.support.levels import frame_levels, onset_ms

LIBRARY = Library(own_fixtures())


def decoded(packets: tuple[bytes, ...]) -> Samples:
    decoder = opus.Decoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


def lag(source: Samples, heard: Samples) -> int:
    """Samples by which `heard` trails `source`: the peak of their cross-correlation."""
    size = 1 << (2 * len(source)).bit_length()
    spectrum = np.fft.rfft(heard[: len(source)].astype(float), size) * np.conj(
        np.fft.rfft(source.astype(float), size)
    )
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak - size if peak > size // 2 else peak


@pytest.mark.parametrize(
    "name", ["es-f-order", "es-m-appointment", "en-f-order", "en-m-novel-b", "es-f-busy"]
)
def test_what_is_decoded_lies_within_a_millisecond_of_its_source(name: str) -> None:
    clip = LIBRARY.clip(name)
    assert abs(lag(clip.samples, decoded(clip.packets))) <= RATE // 1000


def test_the_onset_survives_the_codec_within_ten_milliseconds() -> None:
    tone = generate.joined(generate.silence(300), generate.tone((440.0,), 500))
    heard = frame_levels(decoded(opus.encode(tone)), RATE)
    onset = onset_ms(heard, 10)
    assert onset is not None
    assert abs(onset - 300) <= 10


def test_the_first_and_the_last_sample_are_on_the_wire() -> None:
    """A signal without silence around it must lose neither its beginning nor its end."""
    heard = decoded(opus.encode(generate.tone((440.0,), 50)))
    assert len(heard) == 3 * FRAME_SAMPLES
    levels = frame_levels(heard, RATE)
    assert min(levels[:5]) > -30
    assert levels[5] < -35


@settings(max_examples=20, deadline=None)
@given(count=st.integers(0, 5000))
def test_any_number_of_samples_becomes_whole_frames(count: int) -> None:
    packets = opus.encode(generate.white_noise(200)[:count])
    assert len(packets) == -(-count // FRAME_SAMPLES)
    assert all(0 < len(packet) < 400 for packet in packets)


def test_encoding_the_same_samples_gives_the_same_packets() -> None:
    samples = LIBRARY.clip("en-m-yes").samples
    assert opus.encode(samples) == opus.encode(samples)


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="960 samples"):
        opus.Encoder().encode(generate.silence(10))


def test_silence_is_silent_from_the_second_packet_after_speech() -> None:
    """The first carries what the decoder still holds of the speech before."""
    decoder = opus.Decoder()
    for packet in LIBRARY.clip("es-f-order").packets[:80]:
        decoder.decode(packet)
    levels = [level_dbfs(decoder.decode(opus.SILENCE)) for _ in range(4)]
    assert levels[1:] == [SILENCE_DBFS] * 3


def test_comfort_noise_is_there_but_not_audible_also_where_it_is_repeated() -> None:
    heard = decoded(opus.comfort_noise() * 2)
    levels = frame_levels(heard, RATE, frame_ms=20)
    assert len(opus.comfort_noise()) == 100
    assert max(levels) < AUDIBLE_DBFS - 10
    assert min(levels[1:]) > -80


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=80))
def test_whatever_arrives_is_decoded_or_refused_and_the_next_packet_is_heard(payload: bytes) -> None:
    decoder = opus.Decoder()
    speech = LIBRARY.clip("en-m-yes").packets[20:24]
    with suppress(opus.OpusDecodingError):
        samples = decoder.decode(payload)
        assert samples.dtype == np.int16
        assert 120 <= len(samples) <= 5760  # 2.5 to 120 ms (RFC 6716, section 3.1)
    heard = [decoder.decode(packet) for packet in speech]
    assert [len(samples) for samples in heard] == [FRAME_SAMPLES] * 4
    assert level_dbfs(heard[-1]) > AUDIBLE_DBFS


def test_an_empty_payload_does_not_end_the_stream() -> None:
    decoder = opus.Decoder()
    with pytest.raises(opus.OpusDecodingError, match="empty"):
        decoder.decode(b"")
    assert len(decoder.decode(opus.SILENCE)) == FRAME_SAMPLES


@pytest.mark.parametrize("mark", [4, 12, 34, 60])
def test_a_steady_tone_does_not_swell(mark: int) -> None:
    """A decoder that did not begin as the encoder did predicts these tones to full scale in half a second."""
    tone = marked_tone(mark, 500)
    decoder = opus.Decoder()
    heard = [decoder.decode(packet) for packet in (opus.SILENCE, *opus.encode(tone))]
    loudest = max(int(np.abs(frame.astype(np.int32)).max()) for frame in heard)
    assert loudest < 1.5 * int(np.abs(tone.astype(np.int32)).max())


def test_the_decoder_gives_one_channel_of_16_bits_whatever_the_packets_were() -> None:
    """Its samples are read as they lie in memory."""
    stereo = av.AudioCodecContext.create("libopus", "w")
    stereo.sample_rate, stereo.layout, stereo.format = 48_000, "stereo", "s16"
    loud = av.AudioFrame.from_ndarray(np.full((1, 2 * 960), 8000, dtype=np.int16), "s16", "stereo")
    loud.sample_rate = 48_000
    decoder = opus.Decoder()
    decoded = [decoder.decode(bytes(packet)) for packet in [*stereo.encode(loud), *stereo.encode(None)]]
    assert decoder._codec.format.name == "s16"
    assert all(samples.dtype == np.int16 and samples.shape == (960,) for samples in decoded)
