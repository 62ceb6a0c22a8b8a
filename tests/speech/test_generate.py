import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.audio import SILENCE_DBFS, Samples, clipped_part, level_dbfs
from harness.core.audio_format import RATE
from harness.speech import generate


def power(samples: Samples, low: float, high: float) -> float:
    """Energy between two frequencies."""
    spectrum = np.square(np.abs(np.fft.rfft(samples.astype(float))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(spectrum[(frequencies >= low) & (frequencies < high)].sum())


@pytest.mark.parametrize("noise", [generate.white_noise, generate.pink_noise])
def test_noise_has_the_level_asked_for_and_follows_its_seed(noise: generate.Noise) -> None:
    samples = noise(1000, level_dbfs=-40.0, seed=3)
    assert len(samples) == RATE
    assert abs(level_dbfs(samples) + 40) < 0.1
    assert np.array_equal(samples, noise(1000, level_dbfs=-40.0, seed=3))
    assert not np.array_equal(samples, noise(1000, level_dbfs=-40.0, seed=4))


def test_white_noise_has_equal_power_in_bands_of_equal_width_and_pink_in_octaves() -> None:
    white, pink = generate.white_noise(4000), generate.pink_noise(4000)
    assert power(white, 1000, 2000) / power(white, 8000, 9000) == pytest.approx(1, rel=0.15)
    assert power(pink, 500, 1000) / power(pink, 4000, 8000) == pytest.approx(1, rel=0.15)


def test_silence_is_zeros() -> None:
    assert not generate.silence(100).any()
    assert len(generate.silence(100)) == 4800


@given(level=st.floats(-60, -10), frequency=st.floats(100, 8000))
def test_a_tone_has_its_level_and_its_frequency(level: float, frequency: float) -> None:
    samples = generate.tone((frequency,), 500, level_dbfs=level)
    assert abs(level_dbfs(samples[2400:-2400]) - level) < 0.5
    assert power(samples, frequency - 20, frequency + 20) > 0.95 * power(samples, 0, RATE / 2)


def test_a_tone_begins_and_ends_without_a_click() -> None:
    samples = generate.tone((1000.0,), 200).astype(int)
    assert abs(samples[0]) < 100
    assert abs(samples[-1]) < 100


def test_dtmf_keys_are_the_pairs_of_q23() -> None:
    samples = generate.dtmf("5", on_ms=200, off_ms=100)
    assert len(samples) == RATE * 300 // 1000
    total = power(samples, 0, RATE / 2)
    assert power(samples, 750, 790) + power(samples, 1316, 1356) > 0.95 * total
    assert len(generate.dtmf("123A456B789C*0#D")) == 16 * RATE // 5
    assert not len(generate.dtmf(""))


@pytest.mark.parametrize("keys", ["12x", "é", " "])
def test_what_is_no_key_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="no telephone key"):
        generate.dtmf(keys)


def test_ringback_sounds_a_second_in_five() -> None:
    samples = generate.ringback(6000)
    assert level_dbfs(samples[:RATE]) > -21
    assert level_dbfs(samples[RATE : 5 * RATE]) == SILENCE_DBFS
    assert level_dbfs(samples[5 * RATE :]) > -21


@given(snr=st.floats(0, 40))
def test_noise_is_mixed_at_the_ratio_to_the_loud_frames(snr: float) -> None:
    speech = generate.joined(generate.silence(500), generate.tone((440.0,), 500, level_dbfs=-20.0))
    noise = generate.white_noise(300, seed=1)
    heard = generate.mixed(speech, noise, snr_db=snr)
    assert len(heard) == len(speech)
    assert level_dbfs(heard[: RATE // 2]) == pytest.approx(-20 - snr, abs=0.5)


def test_mixing_with_nothing_changes_nothing() -> None:
    speech = generate.tone((440.0,), 100)
    assert np.array_equal(generate.mixed(speech, generate.silence(50), snr_db=20), speech)
    assert not generate.mixed(generate.silence(0), generate.white_noise(10), snr_db=20).size


def test_what_is_too_loud_is_held_at_full_scale() -> None:
    samples = generate.at_level(generate.white_noise(100).astype(float), 0.0)
    assert clipped_part(samples) > 0
    assert generate.at_level(np.zeros(4), -20.0).tolist() == [0, 0, 0, 0]


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 ms"):
        generate.silence(-1)
