"""The manifest of the fixtures: what each clip is, and what is true of it."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.core.errors import UsageError

MANIFEST = "manifest.toml"

Milliseconds = Annotated[int, Field(ge=0)]
Interval = tuple[Milliseconds, Milliseconds]
Role = Literal["caller", "interruption", "backchannel", "short", "assistant", "source"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Recorded(_Table):
    """A file beside the manifest. `speech_ms`: true speech, in ms from the first sample."""

    file: str
    role: Role
    language: Literal["es", "en"]
    speaker: Literal["female", "male"]
    transcript: Annotated[str, Field(min_length=1)]
    duration_ms: Annotated[int, Field(gt=0)]
    speech_ms: Annotated[tuple[Interval, ...], Field(min_length=1)]
    truth: Literal["energy", "silero"]
    licence: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="after")
    def _speech_lies_in_order_within_the_clip(self) -> Recorded:
        times = [time for interval in self.speech_ms for time in interval]
        if any(b <= a for a, b in pairwise(times)):
            raise ValueError(f"speech_ms must be ascending, but reads {self.speech_ms}")
        if times[-1] > self.duration_ms:
            raise ValueError(f"speech_ms ends at {times[-1]}, after the clip's {self.duration_ms} ms")
        return self


class Cut(_Table):
    """A recorded clip, or the part of it between two times."""

    clip: str
    from_ms: Milliseconds = 0
    to_ms: Annotated[int, Field(gt=0)] | None = None


class Gap(_Table):
    """Silence between parts."""

    silence_ms: Annotated[int, Field(gt=0)]


class Under(_Table):
    """Pink noise under all of a clip, so much below its speech."""

    snr_db: float
    seed: int


class Composed(_Table):
    """Recorded clips and gaps, one after the other; `noise` lies under all of it."""

    role: Role
    parts: Annotated[tuple[Cut | Gap, ...], Field(min_length=1)]
    transcript: str | None = None
    noise: Under | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_name_is_a_whole_clip(cls, table: dict[str, Any]) -> dict[str, Any]:
        parts = table.get("parts")
        if not isinstance(parts, list):
            return table
        return table | {"parts": [{"clip": part} if isinstance(part, str) else part for part in parts]}

    @model_validator(mode="after")
    def _somebody_speaks(self) -> Composed:
        if not any(isinstance(part, Cut) for part in self.parts):
            raise ValueError("parts must name a clip; for silence alone, generate it")
        return self


class Generated(_Table):
    """A signal made in code; `harness.speech.generate` has one function for each kind."""

    generate: Literal["silence", "white-noise", "pink-noise", "tone", "dtmf", "ringback", "cough"]
    duration_ms: Annotated[int, Field(gt=0)] | None = None
    level_dbfs: Annotated[float, Field(le=0)] | None = None
    seed: int | None = None
    frequencies_hz: tuple[float, ...] | None = None
    keys: str | None = None

    @model_validator(mode="after")
    def _has_the_parameters_of_its_kind(self) -> Generated:
        wanted = {
            "silence": {"duration_ms"},
            "white-noise": {"duration_ms", "level_dbfs", "seed"},
            "pink-noise": {"duration_ms", "level_dbfs", "seed"},
            "tone": {"duration_ms", "level_dbfs", "frequencies_hz"},
            "dtmf": {"level_dbfs", "keys"},
            "ringback": {"duration_ms", "level_dbfs"},
            "cough": {"level_dbfs", "seed"},
        }[self.generate]
        given = self.model_fields_set - {"generate"}
        if given != wanted:
            raise ValueError(
                f"{self.generate} takes {', '.join(sorted(wanted))}; "
                f"missing: {', '.join(sorted(wanted - given)) or 'nothing'}, "
                f"too many: {', '.join(sorted(given - wanted)) or 'nothing'}"
            )
        return self


Entry = Recorded | Composed | Generated

_KINDS: dict[str, type[Entry]] = {"file": Recorded, "parts": Composed, "generate": Generated}


def read_manifest(directory: Path) -> dict[str, Entry]:
    """The clips by name, in the manifest's order.

    Raises UsageError, naming the file and the key, when it is missing, no TOML, or says what cannot be.
    """
    path = directory / MANIFEST
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the fixtures' manifest {path} cannot be read: {error.strerror or error}",
            f"restore it, or set HARNESS_FIXTURES to a directory with a {MANIFEST}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}", "fix the line that it names") from error
    tables = document.pop("clips", None)
    if document or not isinstance(tables, dict) or not tables:
        stray = f"the unknown key {next(iter(document))}" if document else "no [clips.NAME] tables"
        raise UsageError(f"{path} has {stray}", "declare each clip as [clips.NAME]")
    entries = {name: _entry(path, name, table) for name, table in tables.items()}
    for name, entry in entries.items():
        if isinstance(entry, Composed):
            _check_parts(path, name, entry, entries)
    return entries


def _entry(path: Path, name: str, table: Any) -> Entry:
    kinds = [key for key in _KINDS if isinstance(table, dict) and key in table]
    if len(kinds) != 1:
        raise UsageError(
            f"{path}: clips.{name} must have exactly one of {', '.join(_KINDS)}; it has {len(kinds)}",
            "a clip is a file, parts of other clips, or generated",
        )
    try:
        return _KINDS[kinds[0]].model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("clips", name, *first["loc"]))
        raise UsageError(f"{path}: {key}: {first['msg']}", "fix the manifest") from error


def _check_parts(path: Path, name: str, entry: Composed, entries: dict[str, Entry]) -> None:
    for part in entry.parts:
        if not isinstance(part, Cut):
            continue
        whole = entries.get(part.clip)
        if not isinstance(whole, Recorded):
            raise UsageError(
                f"{path}: clips.{name}.parts names {part.clip}, which is no recorded clip",
                "compose of clips that have a file",
            )
        if not part.from_ms < (part.to_ms or whole.duration_ms) <= whole.duration_ms:
            raise UsageError(
                f"{path}: clips.{name}.parts cuts {part.clip} from {part.from_ms} to {part.to_ms} ms, "
                f"but it lasts {whole.duration_ms} ms",
                "cut within the clip",
            )
