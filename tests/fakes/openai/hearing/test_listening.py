"""The fake's ear: order, losses, memory."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.core.audio import Samples
from harness.fakes.openai.hearing.listening import LONGEST_FILL, REMEMBERED_PACKETS, SILENT_FRAME, Ear
from harness.speech.library import load_library
from harness.speech.opus import SILENCE


def frame(number: int) -> Samples:
    return np.full(960, number, np.int16)


def heard(*sequences: int) -> tuple[list[int], Ear]:
    values: list[int] = []
    ear = Ear(lambda samples: values.append(int(samples[0])))
    for sequence in sequences:
        ear.hear(sequence, SILENCE, frame(sequence))
    return values, ear


def test_a_lost_packet_becomes_silence() -> None:
    """So that the audio clock keeps to the caller's."""
    values, ear = heard(5, 6, 9)
    assert values == [5, 6, 0, 0, 9]
    assert ear.filled == 2


def test_a_late_packet_is_dropped() -> None:
    """Its place was filled; a duplicate is late as well."""
    values, ear = heard(5, 7, 6, 7, 8)
    assert values == [5, 0, 7, 8]
    assert ear.late == 2


def test_a_long_gap_is_a_new_beginning() -> None:
    """A sender that comes back after a while has lost no speech."""
    values, _ = heard(5, 5 + LONGEST_FILL + 2)
    assert values == [5, 5 + LONGEST_FILL + 2]


@given(st.lists(st.integers(0, 300), max_size=60))
def test_the_clock_never_runs_backwards(sequences: list[int]) -> None:
    """Whatever order packets come in, each place is taken once, in order."""
    values, _ = heard(*sequences)
    played = [value for value in values if value]
    assert played == sorted(set(played))


def test_an_utterance_is_remembered_as_its_packets() -> None:
    """From start to end on the audio clock; before that, nothing."""
    clip = load_library().clip("en-m-yes")
    ear = Ear(lambda samples: None)
    for number, packet in enumerate(clip.packets):
        ear.hear(number, packet, frame(0))
    recalled = ear.recall(200, 400)
    assert recalled.packets is not None
    assert recalled.packets() == clip.packets[10:20]
    assert len(recalled.samples()) == 10 * 960
    assert ear.recall(90_000, 91_000).samples().size == 0


def test_memory_has_an_end() -> None:
    """A minute of a call, however long it lasts."""
    ear = Ear(lambda samples: None)
    for number in range(REMEMBERED_PACKETS + 100):
        ear.hear(number, b"%d" % number, frame(0))
    recalled = ear.recall(0, 1_000_000)
    assert recalled.packets is not None
    assert len(recalled.packets()) == REMEMBERED_PACKETS
    assert recalled.packets()[0] == b"100"


def test_samples_are_handed_on_by_so_many_packets_together() -> None:
    lengths: list[int] = []
    ear = Ear(lambda samples: lengths.append(len(samples)), batch=3)
    for sequence in range(7):
        ear.hear(sequence, SILENCE, SILENT_FRAME)
    assert lengths == [3 * len(SILENT_FRAME)] * 2
