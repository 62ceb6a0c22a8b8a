from __future__ import annotations

import pytest

from harness.load.call_process.personas import (
    LEAST_PATIENCE,
    LONGEST_PAUSE,
    MOST_PATIENCE,
    SHORTEST_PAUSE,
    Personas,
)
from harness.speech.library import Library, load_library


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


def test_the_same_seed_and_number_are_the_same_person(library: Library) -> None:
    assert [Personas(library, 7)[n] for n in range(20)] == [
        Personas(library, 7)[n] for n in reversed(range(20))
    ][::-1]
    assert [Personas(library, 7)[n] for n in range(20)] != [Personas(library, 8)[n] for n in range(20)]


def test_a_person_keeps_to_one_language_and_voice(library: Library) -> None:
    people = Personas(library, 1)
    for person in (people[n] for n in range(60)):
        said = [library.clip(name) for name in person.says]
        assert {(clip.language, clip.speaker) for clip in said} == {(person.language, person.voice)}
        assert library.clip(person.cuts_in).language == person.language
        assert SHORTEST_PAUSE <= person.pause_s <= LONGEST_PAUSE
        assert LEAST_PATIENCE <= person.patience_s <= MOST_PATIENCE
        assert person.name


def test_a_crowd_is_mixed(library: Library) -> None:
    people = [Personas(library, 1)[n] for n in range(60)]
    assert {p.language for p in people} == {"es", "en"}
    assert {p.voice for p in people} == {"female", "male"}
    assert {p.impatience for p in people} == {"asks again", "hangs up"}
    assert len({p.name for p in people}) > 50


def test_nobody_says_what_a_detector_may_take_for_two_turns(library: Library) -> None:
    people = Personas(library, 1)
    assert "es-two-utterances" not in people.clips()
    assert "en-f-order" in people.clips()


def test_what_is_said_goes_round(library: Library) -> None:
    person = Personas(library, 1)[0]
    assert person.clip(len(person.says)) == person.clip(0)
