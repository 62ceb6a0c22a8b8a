"""The fixtures as clips: decoded once, encoded to Opus once, shared by every peer of the process.

Beside them, whatever audio file a scenario names by its path.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path

from harness.config.settings import read_settings
from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.speech import recipes
from harness.speech.clip import Clip
from harness.speech.manifest import MANIFEST, Composed, Cut, Entry, Generated, Recorded, read_manifest
from harness.speech.own_clips import is_path, own_clip
from harness.speech.packets import packets_in


class Library(Mapping[str, Clip]):
    """All clips of a fixture directory by name; those of `more` come first."""

    def __init__(self, directory: Path, more: Path | None = None) -> None:
        self.directory = directory
        self._directories = (directory,) if more is None else (directory, more)
        self.folders: tuple[Path, ...] = ()  # where a path is looked for first
        self._clips: dict[str, Clip] = {}
        for folder in self._directories:
            entries = read_manifest(folder)
            recordings = {name: entry for name, entry in entries.items() if isinstance(entry, Recorded)}
            self._clips |= {
                name: _clip(folder, name, entry, recordings, self.clip) for name, entry in entries.items()
            }

    def beside(self, file: str) -> Library:
        """The same clips; a path is looked for beside this file before it is in the working directory."""
        found = copy.copy(self)
        found.folders = (Path(file).parent,) if file else ()
        return found

    def __getitem__(self, name: str) -> Clip:
        return self._clips[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clips)

    def __len__(self) -> int:
        return len(self._clips)

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any clip: the manifest carries every file's checksum."""
        manifests = b"".join((folder / MANIFEST).read_bytes() for folder in self._directories)
        return hashlib.sha256(manifests).hexdigest()[:12]

    def clip(self, name: str) -> Clip:
        """The clip of that name, or the audio file at that path. Raises UsageError with near matches."""
        if name in self._clips:
            return self._clips[name]
        if is_path(name):
            return own_clip(name, (*self.folders, Path.cwd()))
        folders = " or ".join(map(str, self._directories))
        raise UsageError(f"there is no clip {name!r} in {folders}", meant(name, sorted(self._clips)))


def _clip(
    directory: Path, name: str, entry: Entry, recordings: dict[str, Recorded], clip: Callable[[str], Clip]
) -> Clip:
    encoded = partial(_encoded, directory, name)
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
                make=partial(recipes.recorded, directory, entry),
                encoded=encoded,
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
                make=partial(recipes.composed, entry, lambda part: clip(part).samples),
                encoded=encoded,
                noise_db=entry.noise.snr_db if entry.noise else None,
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
                encoded=encoded,
            )


def _encoded(directory: Path, name: str) -> tuple[bytes, ...] | None:
    return packets_in(directory).get(name)


def _one(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else "several"


def load_library(directory: Path | None = None) -> Library:
    """The fixtures in `directory`; else ours, and those that HARNESS_FIXTURES adds.

    One's own clip outweighs ours of the same name. Read once per process and directory. Raises UsageError
    for a manifest that cannot be used; a clip's own file is read, and its checksum verified, when its samples
    are first asked for.
    """
    if directory is not None:
        return _library(directory.resolve(), None)
    more = read_settings().fixtures
    return _library(own_fixtures().resolve(), more.resolve() if more else None)


@cache
def own_fixtures() -> Path:
    """The checkout's fixtures, else the copy inside the installed package."""
    checkout = Path(__file__).parents[2] / "fixtures" / "audio"
    return checkout if checkout.is_dir() else Path(__file__).parent / "fixtures"


@lru_cache
def _library(directory: Path, more: Path | None) -> Library:
    return Library(directory, more)
