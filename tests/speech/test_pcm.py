from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.speech import generate
from harness.speech.pcm import Resampler, read_audio, resample


def write_wav(path: Path, samples: Samples, rate: int, layout: str = "mono") -> None:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_a_file_of_any_rate_is_read_at_48_khz_in_its_place(tmp_path: Path, rate: int) -> None:
    click = np.zeros(rate, np.int16)
    click[rate // 2] = 20_000
    write_wav(tmp_path / "click.wav", click, rate)
    samples = read_audio(tmp_path / "click.wav")
    assert abs(len(samples) - RATE) <= 2
    assert abs(int(np.argmax(np.abs(samples))) - RATE // 2) <= RATE // 2000


def test_channels_are_mixed_to_one(tmp_path: Path) -> None:
    left_only = np.stack([np.full(4800, 10_000, np.int16), np.zeros(4800, np.int16)], axis=1)
    write_wav(tmp_path / "stereo.wav", left_only.reshape(-1), RATE, "stereo")
    samples = read_audio(tmp_path / "stereo.wav")
    assert len(samples) == 4800
    assert 4_000 < samples[2400] < 8_000


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    with av.open(str(path), "w", format="wav") as container:
        container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        container.start_encoding()
    with pytest.raises(UsageError, match=r"empty\.wav holds no samples"):
        read_audio(path)


def test_a_picture_is_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame(16, 16, "rgb24")))
    with pytest.raises(UsageError, match=r"picture\.png holds no audio stream"):
        read_audio(path)


@pytest.mark.parametrize(
    ("name", "problem"), [("none.wav", "does not exist"), ("", "cannot be read as audio")]
)
def test_what_is_no_file_is_named(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as refused:
        read_audio(tmp_path / name)
    assert str(tmp_path) in str(refused.value)


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(480, 3000), min_size=1, max_size=6),
    rate=st.sampled_from([8_000, 16_000, 24_000]),
)
def test_a_stream_in_pieces_is_resampled_as_a_whole(sizes: list[int], rate: int) -> None:
    signal = generate.white_noise(400)[: sum(sizes)]
    resampler = Resampler(rate)
    pieces = [resampler.push(piece, RATE) for piece in np.split(signal, np.cumsum(sizes)[:-1]) if piece.size]
    joined = np.concatenate([*pieces, resampler.flush()])
    assert np.array_equal(joined, resample(signal, RATE, rate))
    assert abs(len(joined) - len(signal) * rate / RATE) <= 2


def test_the_same_rate_needs_no_resampling() -> None:
    samples = generate.tone((440.0,), 20)
    assert resample(samples, RATE, RATE) is samples
    assert not resample(generate.silence(0), RATE, 8_000).size
