from __future__ import annotations

import numpy as np

from harness.core.audio import Samples
from harness.core.clock import ManualClock, RelativeClock
from harness.core.events import Event, Packet, PacketsReceived
from harness.peer.heard import ReceivedAudio
from harness.peer.rtcp import StreamStatistics

FRAME = np.full(960, 1000, dtype=np.int16)
LOUD, FAINT, BROKEN = b"loud", b"faint", b"broken"


def decode(payload: bytes) -> Samples:
    if payload == BROKEN:
        raise ValueError("not Opus")
    return FRAME if payload == LOUD else FRAME // 200


def heard() -> tuple[ReceivedAudio, list[Event]]:
    recorded: list[Event] = []
    return ReceivedAudio(recorded.append, RelativeClock(ManualClock(100.0)), decode), recorded


def take(
    audio: ReceivedAudio, at: float, timestamp: int, sequence: int = 0, payload: bytes = LOUD, ssrc: int = 1
) -> None:
    audio.packet(100.0 + at, sequence, timestamp, payload, StreamStatistics(ssrc))


def packets(recorded: list[Event]) -> list[Packet]:
    return [p for batch in recorded if isinstance(batch, PacketsReceived) for p in batch.packets]


def test_a_packet_is_told_with_arrival_sequence_size_and_level() -> None:
    audio, recorded = heard()
    take(audio, 1.5, 960, sequence=3)
    audio.flush()
    assert packets(recorded) == [Packet(1.5, 3, 960, 4, -30.3, 0.0)]


def test_what_cannot_be_decoded_is_counted_and_still_told() -> None:
    audio, recorded = heard()
    take(audio, 1.0, 0, payload=BROKEN)
    audio.flush()
    assert audio.undecodable == 1
    assert [p.dbfs for p in packets(recorded)] == [None]


def test_jitter_of_arrival_does_not_move_the_samples() -> None:
    audio, _ = heard()
    for i, late in enumerate((0.0, 0.013, 0.0, 0.019)):
        take(audio, 1.0 + i * 0.02 + late, i * 960)
    samples = audio.samples()
    assert np.flatnonzero(samples)[0] == 48_000
    assert np.count_nonzero(samples) == 4 * 960


def test_a_lost_packet_leaves_a_hole_of_its_own_length() -> None:
    audio, _ = heard()
    for i in (0, 2):
        take(audio, i * 0.02, i * 960)
    assert np.count_nonzero(audio.samples()[960:1920]) == 0
    assert np.count_nonzero(audio.samples()) == 2 * 960


def test_a_timestamp_that_jumps_is_placed_anew_by_its_arrival() -> None:
    audio, _ = heard()
    take(audio, 0.0, 0)
    take(audio, 3.0, 4_000_000_000)
    assert np.flatnonzero(audio.samples())[-1] == 3 * 48_000 + 959


def test_a_burst_after_a_stall_is_placed_behind_each_other() -> None:
    audio, _ = heard()
    take(audio, 0.0, 0)
    for i in range(1, 60):
        take(audio, 1.0 + i * 0.001, i * 960)
    assert np.count_nonzero(audio.samples()) == 60 * 960


def test_a_timestamp_that_wraps_runs_on() -> None:
    audio, _ = heard()
    take(audio, 0.0, 2**32 - 960)
    take(audio, 0.02, 0)
    assert np.count_nonzero(audio.samples()) == audio.samples().size == 2 * 960


def test_packets_are_recorded_in_batches_of_a_second_and_one_stream() -> None:
    audio, recorded = heard()
    for i in range(60):
        take(audio, i * 0.02, i * 960, i)
    take(audio, 2.0, 0, ssrc=2)
    audio.flush()
    assert [(e.ssrc, len(e.packets)) for e in recorded if isinstance(e, PacketsReceived)] == [
        (1, 50),
        (1, 10),
        (2, 1),
    ]


def test_the_last_audible_moment_is_that_of_a_packet_above_the_threshold() -> None:
    audio, _ = heard()
    take(audio, 1.0, 0)
    take(audio, 1.02, 960, payload=FAINT)
    assert round(audio.last_audible, 6) == 1.0
