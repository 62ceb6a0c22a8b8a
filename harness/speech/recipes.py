"""How each kind of manifest entry becomes samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.speech import generate
from harness.speech.manifest import Composed, Cut, Generated, Recorded
from harness.speech.pcm import read_audio

PER_MS = RATE // 1000
DURATION_TOLERANCE_MS = 1  # a file of a whole number of ms can still end between two samples at 48 kHz


def recorded(directory: Path, entry: Recorded) -> Samples:
    """The file's samples. Raises UsageError, naming it, when it is missing, changed or no audio."""
    path = directory / entry.file
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(
            f"the fixture {path} cannot be read: {error.strerror or error}",
            "restore the file, or take its table out of the manifest",
        ) from error
    if digest != entry.sha256:
        raise UsageError(
            f"the fixture {path} is not the file that the manifest describes: its SHA-256 is {digest}",
            "restore the file; for a new recording, write its checksum, duration and speech_ms",
        )
    samples = read_audio(path)
    duration_ms = len(samples) / PER_MS
    if abs(duration_ms - entry.duration_ms) > DURATION_TOLERANCE_MS:
        raise UsageError(
            f"{path} lasts {duration_ms:.0f} ms, but the manifest says {entry.duration_ms}",
            "fix duration_ms, and speech_ms with it",
        )
    return samples


def generated(entry: Generated) -> Samples:
    """The signal that the entry describes, the same each time."""
    duration_ms, level, seed = entry.duration_ms or 0, entry.level_dbfs or 0.0, entry.seed or 0
    match entry.generate:
        case "silence":
            return generate.silence(duration_ms)
        case "white-noise":
            return generate.white_noise(duration_ms, level_dbfs=level, seed=seed)
        case "pink-noise":
            return generate.pink_noise(duration_ms, level_dbfs=level, seed=seed)
        case "tone":
            return generate.tone(entry.frequencies_hz or (), duration_ms, level_dbfs=level)
        case "dtmf":
            return generate.dtmf(entry.keys or "", level_dbfs=level)
        case "ringback":
            return generate.ringback(duration_ms, level_dbfs=level)
        case "cough":
            return generate.cough(level_dbfs=level, seed=seed)


def composed(entry: Composed, samples_of: Callable[[str], Samples]) -> Samples:
    """The parts one after the other, with noise under them where the entry has some."""
    joined = generate.joined(
        *[
            samples_of(part.clip)[part.from_ms * PER_MS : part.to_ms and part.to_ms * PER_MS]
            if isinstance(part, Cut)
            else generate.silence(part.silence_ms)
            for part in entry.parts
        ]
    )
    if entry.noise is None:
        return joined
    noise = generate.pink_noise(len(joined) // PER_MS, seed=entry.noise.seed)
    return generate.mixed(joined, noise, snr_db=entry.noise.snr_db)


def composed_speech(entry: Composed, recordings: dict[str, Recorded]) -> tuple[tuple[int, int], ...]:
    """The parts' speech, moved to where each part stands, and cut where the part is."""
    found: list[tuple[int, int]] = []
    offset = 0
    for part in entry.parts:
        if not isinstance(part, Cut):
            offset += part.silence_ms
            continue
        whole = recordings[part.clip]
        end_ms = part.to_ms or whole.duration_ms
        for start, end in whole.speech_ms:
            start, end = max(start, part.from_ms), min(end, end_ms)
            if start < end:
                found.append((offset + start - part.from_ms, offset + end - part.from_ms))
        offset += end_ms - part.from_ms
    return tuple(found)
