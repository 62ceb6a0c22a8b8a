from __future__ import annotations

import numpy as np

from harness.core.clock import ManualClock, RelativeClock
from harness.core.events import Event, Packet, PacketsReceived
from harness.peer.heard import Heard

FRAME = np.full(960, 1000, dtype=np.int16)


def heard() -> tuple[Heard, list[Event]]:
    recorded: list[Event] = []
    return Heard(recorded.append, RelativeClock(ManualClock(100.0)), keep_samples=True), recorded


def packet(at: float, timestamp: int, sequence: int = 0, dbfs: float = -30.0) -> Packet:
    return Packet(100.0 + at, sequence, timestamp, 60, dbfs)


def test_jitter_of_arrival_does_not_move_the_samples() -> None:
    audio, _ = heard()
    for i, late in enumerate((0.0, 0.013, 0.0, 0.019)):
        audio.packet(packet(1.0 + i * 0.02 + late, i * 960), FRAME, 1)
    samples = audio.samples()
    assert np.flatnonzero(samples)[0] == 48_000
    assert np.count_nonzero(samples) == 4 * 960


def test_a_lost_packet_leaves_a_hole_of_its_own_length() -> None:
    audio, _ = heard()
    for i in (0, 2):
        audio.packet(packet(i * 0.02, i * 960), FRAME, 1)
    assert np.count_nonzero(audio.samples()[960:1920]) == 0
    assert np.count_nonzero(audio.samples()) == 2 * 960


def test_a_timestamp_that_jumps_is_placed_anew_by_its_arrival() -> None:
    audio, _ = heard()
    audio.packet(packet(0.0, 0), FRAME, 1)
    audio.packet(packet(3.0, 4_000_000_000), FRAME, 1)
    assert np.flatnonzero(audio.samples())[-1] == 3 * 48_000 + 959


def test_a_timestamp_that_wraps_runs_on() -> None:
    audio, _ = heard()
    audio.packet(packet(0.0, 2**32 - 960), FRAME, 1)
    audio.packet(packet(0.02, 0), FRAME, 1)
    assert np.count_nonzero(audio.samples()) == audio.samples().size == 2 * 960


def test_packets_are_recorded_in_batches_of_a_second_and_one_stream() -> None:
    audio, recorded = heard()
    for i in range(60):
        audio.packet(packet(i * 0.02, i * 960, i), None, 1)
    audio.packet(packet(2.0, 0), None, 2)
    audio.flush()
    assert [(e.ssrc, len(e.packets)) for e in recorded if isinstance(e, PacketsReceived)] == [
        (1, 50),
        (1, 10),
        (2, 1),
    ]


def test_the_last_audible_moment_is_that_of_a_packet_above_the_threshold() -> None:
    audio, _ = heard()
    audio.packet(packet(1.0, 0, dbfs=-30.0), FRAME, 1)
    audio.packet(packet(1.02, 960, dbfs=-80.0), FRAME, 1)
    assert round(audio.last_audible, 6) == 1.0
