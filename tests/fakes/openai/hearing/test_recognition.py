"""Fixtures are known by their packets."""

from __future__ import annotations

import pytest

from harness.fakes.openai.hearing.recognition import recognizer_of
from harness.speech.library import load_library
from harness.speech.opus import SILENCE, comfort_noise

LIBRARY = load_library()
SPOKEN = [clip.name for clip in LIBRARY.values() if clip.transcript and clip.speech]


@pytest.mark.parametrize("name", SPOKEN)
def test_a_clip_is_known_from_its_beginning(name: str) -> None:
    """By itself, or as the recording that a composed clip begins with."""
    clip = LIBRARY.clip(name)
    found = [recognizer_of(LIBRARY).clip(packet) for packet in clip.packets]
    known = {known.name for known in found if known is not None}
    assert len(known) == 1
    assert clip.transcript.startswith(LIBRARY.clip(known.pop()).transcript)


def test_silence_and_noise_are_nothing_that_is_said() -> None:
    """They flow in every call."""
    recognizer = recognizer_of(LIBRARY)
    assert [recognizer.clip(packet) for packet in (SILENCE, *comfort_noise())] == [None] * 101
