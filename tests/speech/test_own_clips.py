"""A recording that a scenario names by its path."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.speech.library import Library, load_library, own_fixtures
from harness.speech.own_clips import is_path
from harness.speech.pcm import resample

OURS = Library(own_fixtures()).clip("en-f-order")


def write(path: Path, samples: Samples, codec: str, rate: int, layout: str = "mono") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = 2 if layout == "stereo" else 1
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        data = np.repeat(resample(samples, RATE, rate), channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
        frame.sample_rate = rate
        fitting = av.AudioResampler(
            format=stream.format, layout=layout, rate=rate, frame_size=stream.frame_size or 0
        )
        for part in (*fitting.resample(frame), *fitting.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("file", "codec", "rate", "layout"),
    [
        ("hello.wav", "pcm_s16le", 8_000, "mono"),
        ("hello.flac", "flac", 44_100, "stereo"),
        ("hello.mp3", "libmp3lame", 44_100, "stereo"),
        ("hello.ogg", "libopus", 48_000, "mono"),
        ("hello.m4a", "aac", 44_100, "mono"),
    ],
)
def test_any_format_is_said_and_its_speech_found(
    file: str, codec: str, rate: int, layout: str, tmp_path: Path
) -> None:
    write(tmp_path / "clips" / file, OURS.samples, codec, rate, layout)
    clip = load_library().beside(str(tmp_path / "scenario.py")).clip(f"clips/{file}")
    assert clip.duration_ms == pytest.approx(OURS.duration_ms, abs=120)
    assert (clip.speech[0][0], clip.speech[-1][1]) == pytest.approx(
        (OURS.speech[0][0], OURS.speech[-1][1]), abs=200
    )
    assert clip.packets


def test_it_is_found_beside_the_scenario_first_and_then_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "here" / "a.wav", OURS.samples[:RATE], "pcm_s16le", RATE)
    monkeypatch.chdir(tmp_path / "here")
    library = load_library().beside(str(tmp_path / "there" / "scenario.py"))
    assert library.clip("a.wav").duration_ms == 1000
    write(tmp_path / "there" / "a.wav", OURS.samples[: 2 * RATE], "pcm_s16le", RATE)
    assert library.clip("a.wav").duration_ms == 2000


def test_a_file_that_is_recorded_anew_is_read_anew(tmp_path: Path) -> None:
    library = load_library().beside(str(tmp_path / "scenario.py"))
    path = write(tmp_path / "a.wav", OURS.samples[:RATE], "pcm_s16le", RATE)
    assert library.clip("a.wav") is library.clip("a.wav")
    write(path, OURS.samples[: 3 * RATE], "pcm_s16le", RATE)
    os.utime(path, ns=(1, 1))
    assert library.clip("a.wav").duration_ms == 3000


def test_the_truth_beside_it_outweighs_the_detector(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", OURS.samples, "pcm_s16le", RATE)
    (tmp_path / "a.toml").write_text('speech_ms = [[10, 900]]\ntranscript = "Hola"\nlanguage = "es"\n')
    clip = load_library().beside(str(tmp_path / "scenario.py")).clip("a.wav")
    assert (clip.speech, clip.transcript, clip.language) == (((10, 900),), "Hola", "es")


@pytest.mark.parametrize(
    ("truth", "says"),
    [
        ("speech_ms = [[900, 10]]", "speech_ms must ascend"),
        ("speech_ms = [[0, 99999999]]", "end by"),
        ("speech_ms = 4", "speech_ms"),
        ("speach_ms = []", "speach_ms"),
        ("speech_ms = [", "cannot be read"),
    ],
)
def test_a_truth_that_cannot_be_is_refused_in_a_line(truth: str, says: str, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", OURS.samples[:RATE], "pcm_s16le", RATE)
    (tmp_path / "a.toml").write_text(truth)
    with pytest.raises(UsageError, match=says):
        load_library().beside(str(tmp_path / "scenario.py")).clip("a.wav")


def test_what_is_missing_or_no_audio_is_refused_by_name(tmp_path: Path) -> None:
    library = load_library().beside(str(tmp_path / "scenario.py"))
    with pytest.raises(UsageError, match=r"there is no recording 'a\.wav'"):
        library.clip("a.wav")
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(UsageError, match=r"a\.wav cannot be read as audio"):
        library.clip("a.wav")
    with pytest.raises(UsageError, match="there is no clip 'hello'"):
        library.clip("hello")


def test_a_name_is_no_path_and_a_path_is_no_name() -> None:
    assert all(map(is_path, ("a.wav", "clips/a", "./a", "/tmp/a.ogg")))
    assert not any(map(is_path, load_library()))
