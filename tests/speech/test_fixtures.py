"""What must hold of every clip that comes with the harness, and of the licence of every file."""

import re

import numpy as np
import pytest

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_SAMPLES, RATE
from harness.speech import opus
from harness.speech.clip import Clip
from harness.speech.library import Library, own_fixtures
from harness.speech.manifest import Recorded, read_manifest
from tests.speech.test_opus import lag
from tests.support.levels import frame_levels, onset_ms

LIBRARY = Library(own_fixtures())
RECORDINGS = {n: e for n, e in read_manifest(own_fixtures()).items() if isinstance(e, Recorded)}
NOISY = [name for name, clip in LIBRARY.items() if "LibriVox" in clip.source]
FRAME_MS = 5


def heard(clip: Clip) -> list[Samples]:
    """The clip as it arrives, packet by packet."""
    decoder = opus.Decoder()
    return [decoder.decode(packet) for packet in clip.packets]


def onset(samples: Samples, start_ms: int, threshold: float) -> int | None:
    """Where sound begins after `start_ms`, in ms from there."""
    return onset_ms(frame_levels(samples[start_ms * RATE // 1000 :], RATE, FRAME_MS), FRAME_MS, threshold)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_clip_is_48_khz_mono_and_every_packet_of_it_20_ms(name: str) -> None:
    clip = LIBRARY.clip(name)
    assert clip.samples.dtype == np.int16
    assert clip.samples.ndim == 1
    assert clip.duration_ms > 0
    assert [len(samples) for samples in heard(clip)] == [RATE // 50] * -(-clip.duration_ms // 20)


@pytest.mark.parametrize(
    "name", [name for name, clip in LIBRARY.items() if clip.speech and name not in NOISY]
)
def test_speech_begins_where_it_did_after_the_codec(name: str) -> None:
    """Within 15 ms, three frames: what an onset out of silence may be smeared by."""
    clip = LIBRARY.clip(name)
    arrived = np.concatenate(heard(clip))
    threshold = float(np.percentile(frame_levels(clip.samples, RATE, FRAME_MS), 95)) - 25
    for start, _ in clip.speech:
        lead_in = max(0, start - 100)
        before, after = onset(clip.samples, lead_in, threshold), onset(arrived, lead_in, threshold)
        assert before is not None
        assert after is not None
        assert abs(after - before) <= 15, f"speech at {start} ms"


@pytest.mark.parametrize("name", NOISY)
def test_speech_out_of_room_noise_is_no_later_after_the_codec(name: str) -> None:
    """It swells, so that it has no one moment of onset in its energy: the whole must not have moved."""
    clip = LIBRARY.clip(name)
    assert abs(lag(clip.samples, np.concatenate(heard(clip)))) <= RATE // 1000


@pytest.mark.parametrize("name", LIBRARY)
def test_a_clip_read_anew_is_the_same_to_the_last_sample(name: str) -> None:
    """Seeds are in the manifest, so noise is no exception."""
    assert np.array_equal(Library(own_fixtures()).clip(name).samples, LIBRARY.clip(name).samples)


def test_the_silence_packet_is_zeros_also_as_the_first_of_a_stream() -> None:
    samples = opus.Decoder().decode(opus.SILENCE)
    assert len(samples) == FRAME_SAMPLES
    assert not samples.any()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\xfb", id="several frames without their count: RFC 6716, [R6]"),
        pytest.param(b"\xfb\x00", id="a count of no frames: RFC 6716, [R5]"),
        pytest.param(b"\xf9\x01\x02\x03", id="two equal frames of an odd number of bytes: RFC 6716, [R3]"),
        pytest.param(b"\xfa\xfb\x01", id="a frame longer than the packet: RFC 6716, [R4]"),
    ],
)
def test_what_is_no_opus_packet_is_refused_and_the_stream_goes_on(payload: bytes) -> None:
    decoder = opus.Decoder()
    with pytest.raises(opus.OpusDecodingError, match=f"{len(payload)} bytes are no Opus packet"):
        decoder.decode(payload)
    speech = LIBRARY.clip("en-m-yes")
    samples = np.concatenate([decoder.decode(packet) for packet in speech.packets])
    assert onset(samples, 0, -40.0) == pytest.approx(onset(speech.samples, 0, -40.0), abs=15)


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_file_says_whose_it_is_and_under_which_licence(name: str) -> None:
    """Where a licence asks for more than its name, the text beside the files gives it."""
    entry, directory = RECORDINGS[name], own_fixtures()
    readme, attribution = (
        (directory / file).read_text(encoding="utf-8") for file in ("README.md", "ATTRIBUTION.md")
    )
    assert len(entry.source.split()) >= 2
    if entry.licence == "CC0-1.0":
        assert "CC0-1.0" in attribution
    elif entry.licence.startswith("CC-BY"):
        section = next(part for part in attribution.split("\n## ") if entry.file in part)
        version = re.sub(r".*-", "", entry.licence)
        assert re.search(rf"creativecommons\.org/licenses/[a-z-]+/{re.escape(version)}/", section)
        assert "Changes made" in section
        assert f"`{name}`" in readme
        assert entry.licence in readme
    else:
        assert entry.licence == "LicenseRef-Public-Domain"
        assert f"`{name}`" in readme
        assert "public domain" in attribution.lower()


def test_a_composed_clip_carries_the_licences_of_all_its_parts() -> None:
    for name in ("es-f-busy", "es-f-please-hold"):
        assert LIBRARY.clip(name).licence == LIBRARY.clip("es-f-operator").licence
