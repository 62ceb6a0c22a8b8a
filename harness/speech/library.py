"""The fixtures as clips: decoded once, encoded to Opus once, shared by every peer of the process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path

from harness.config.settings import read_settings
from harness.core.audio import Samples, merged
from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.speech import opus, recipes
from harness.speech.manifest import MANIFEST, Composed, Cut, Entry, Generated, Recorded, read_manifest
from harness.speech.pcm import RATE


@dataclass(frozen=True, eq=False)
class Clip:
    """One piece of audio. `speech`: true (start, end) of its speech in ms; () where nobody speaks.

    `role` is caller, interruption, short, assistant, generated, or source (only cuts of it are said).
    `language` (es, en) and `speaker` (female, male) are empty where nobody speaks, and `several` where the
    parts differ.
    """

    name: str
    role: str
    transcript: str
    language: str
    speaker: str
    licence: str
    source: str
    speech: tuple[tuple[int, int], ...]
    make: Callable[[], Samples] = field(repr=False)

    @cached_property
    def samples(self) -> Samples:
        """int16, 48 kHz, mono; read-only, for it is shared. Raises UsageError where its file is bad."""
        samples = self.make()
        samples.flags.writeable = False
        return samples

    @cached_property
    def packets(self) -> tuple[bytes, ...]:
        """Opus, 20 ms each; the last is filled up with silence."""
        return opus.encode(self.samples)

    @property
    def duration_ms(self) -> int:
        return len(self.samples) * 1000 // RATE

    def utterances(self, silence_ms: int) -> list[tuple[int, int]]:
        """The speech as a detector that waits `silence_ms` should divide it into turns."""
        return merged(self.speech, silence_ms)


class Library(Mapping[str, Clip]):
    """All clips of a fixture directory by name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        entries = read_manifest(directory)
        recordings = {name: entry for name, entry in entries.items() if isinstance(entry, Recorded)}
        self._clips = {name: self._clip(name, entry, recordings) for name, entry in entries.items()}

    def __getitem__(self, name: str) -> Clip:
        return self._clips[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clips)

    def __len__(self) -> int:
        return len(self._clips)

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any clip: the manifest carries every file's checksum."""
        return hashlib.sha256((self.directory / MANIFEST).read_bytes()).hexdigest()[:12]

    def clip(self, name: str) -> Clip:
        """The clip of that name. Raises UsageError with near matches."""
        if name in self._clips:
            return self._clips[name]
        raise UsageError(f"there is no clip {name!r} in {self.directory}", meant(name, sorted(self._clips)))

    def _clip(self, name: str, entry: Entry, recordings: dict[str, Recorded]) -> Clip:
        match entry:
            case Recorded():
                return Clip(
                    name=name,
                    role=entry.role,
                    transcript=entry.transcript,
                    language=entry.language,
                    speaker=entry.speaker,
                    licence=entry.licence,
                    source=entry.source,
                    speech=entry.speech_ms,
                    make=partial(recipes.recorded, self.directory, entry),
                )
            case Composed():
                voices = [recordings[part.clip] for part in entry.parts if isinstance(part, Cut)]
                return Clip(
                    name=name,
                    role=entry.role,
                    transcript=entry.transcript or " ".join(voice.transcript for voice in voices),
                    language=_one([voice.language for voice in voices]),
                    speaker=_one([voice.speaker for voice in voices]),
                    licence=" AND ".join(sorted({voice.licence for voice in voices})),
                    source=" | ".join(dict.fromkeys(voice.source for voice in voices)),
                    speech=recipes.composed_speech(entry, recordings),
                    make=partial(recipes.composed, entry, lambda part: self.clip(part).samples),
                )
            case Generated():
                return Clip(
                    name=name,
                    role="generated",
                    transcript="",
                    language="",
                    speaker="",
                    licence="CC0-1.0",
                    source="made in code by harness.speech.generate",
                    speech=(),
                    make=partial(recipes.generated, entry),
                )


def _one(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else "several"


def load_library(directory: Path | None = None) -> Library:
    """The fixtures in `directory`, else where HARNESS_FIXTURES says, else those that come with the harness.

    Read once per process and directory. Raises UsageError for a manifest that cannot be used; a clip's own
    file is read, and its checksum verified, when its samples are first asked for.
    """
    return _library((directory or read_settings().fixtures or own_fixtures()).resolve())


@cache
def own_fixtures() -> Path:
    """The checkout's fixtures, else the copy inside the installed package."""
    checkout = Path(__file__).parents[2] / "fixtures" / "audio"
    return checkout if checkout.is_dir() else Path(__file__).parent / "fixtures"


@lru_cache
def _library(directory: Path) -> Library:
    return Library(directory)
