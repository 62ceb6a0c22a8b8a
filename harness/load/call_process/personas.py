"""Who is calling: a person with a language, a voice, pauses and patience, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Literal

from faker import Faker

from harness.core.errors import UsageError
from harness.speech.library import Library

# The languages of the fixtures, in the words of Faker's locales.
LOCALES = {"es": "es_ES", "en": "en_GB"}
SHORTEST_PAUSE, LONGEST_PAUSE = 0.4, 2.5  # s between hearing a reply out and speaking again
LEAST_PATIENCE, MOST_PATIENCE = 6.0, 12.0  # s of silence after having spoken

Impatience = Literal["asks again", "hangs up"]


@dataclass(frozen=True)
class Persona:
    """One caller. `says`: clips of one voice, in the order in which this person says them, round and round.

    `cuts_in` is what the person says into a reply. `pause_s` and `patience_s` are seconds; past its patience
    the person does what `impatience` says.
    """

    name: str
    language: str
    voice: str
    says: tuple[str, ...]
    cuts_in: str
    pause_s: float
    patience_s: float
    impatience: Impatience

    def clip(self, turn: int) -> str:
        """What is said in a turn, counted from 0."""
        return self.says[turn % len(self.says)]


class Personas:
    """Everybody who can call with the clips of a library: indexed by number, the same for the same seed."""

    def __init__(self, library: Library, seed: int) -> None:
        """Raises UsageError where the library has nobody who could speak."""
        self._seed = seed
        self._voices: dict[tuple[str, str], list[str]] = {}
        for clip in library.values():
            # Where the parts of a clip lie apart, a detector may rightly make two turns of it.
            if clip.role == "caller" and len(clip.utterances(0)) == 1:
                self._voices.setdefault((clip.language, clip.speaker), []).append(clip.name)
        if not self._voices:
            raise UsageError(
                f"no clip in {library.directory} has the role caller", "see fixtures/audio/manifest.toml"
            )
        cutting = [clip for clip in library.values() if clip.role == "interruption"]
        self._cutting = {
            language: [clip.name for clip in cutting if clip.language == language] for language in LOCALES
        }

    def clips(self) -> list[str]:
        """All that anybody can say."""
        return sorted({name for names in (*self._voices.values(), *self._cutting.values()) for name in names})

    def __getitem__(self, number: int) -> Persona:
        draw = random.Random(f"{self._seed}/{number}")  # noqa: S311  (a draw that must repeat, not a secret)
        language, voice = draw.choice(sorted(self._voices))
        says = sorted(self._voices[language, voice])
        draw.shuffle(says)
        faker = _faker(LOCALES.get(language, "en_GB"))
        faker.seed_instance(draw.getrandbits(32))
        return Persona(
            name=faker.name_female() if voice == "female" else faker.name_male(),
            language=language,
            voice=voice,
            says=tuple(says),
            cuts_in=draw.choice(self._cutting.get(language) or says),
            pause_s=round(draw.uniform(SHORTEST_PAUSE, LONGEST_PAUSE), 2),
            patience_s=round(draw.uniform(LEAST_PATIENCE, MOST_PATIENCE), 1),
            impatience=draw.choice(("asks again", "hangs up")),
        )


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)
