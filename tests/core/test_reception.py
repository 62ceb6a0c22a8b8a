from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.events import Packet
from harness.core.reception import reception, streams, unwrapped
from tests.support.timelines import packets, timeline_of


def stream(count: int = 200, *, first_sequence: int = 100, first_timestamp: int = 0) -> list[Packet]:
    return [
        Packet(i * 0.02, (first_sequence + i) % 65536, (first_timestamp + i * 960) % 2**32, 80, -20.0)
        for i in range(count)
    ]


def moved(packet: Packet, by: float) -> Packet:
    return Packet(packet.at + by, packet.sequence, packet.timestamp, packet.size, packet.dbfs, packet.clipped)


def test_an_even_stream_has_nothing_to_complain_of() -> None:
    found = reception(stream())
    assert (found.expected, found.lost, found.bursts) == (200, 0, 0.0)
    assert found.jitter_ms == pytest.approx(0, abs=0.01)
    assert found.stall == pytest.approx(0, abs=0.001)
    assert found.pace == pytest.approx(1.0)


@given(st.sets(st.integers(1, 198), max_size=60))
def test_every_lost_packet_is_counted(lost: set[int]) -> None:
    found = reception([p for i, p in enumerate(stream()) if i not in lost])
    assert (found.expected, found.lost) == (200, len(lost))
    assert found.lost_percent == pytest.approx(len(lost) / 2)


def test_a_duplicate_is_no_gain_and_a_late_packet_no_loss() -> None:
    given_ = stream()
    given_.append(moved(given_[50], 0.5))
    given_.append(moved(given_.pop(60), 0.07))
    found = reception(sorted(given_, key=lambda p: p.at))
    assert (found.expected, found.lost) == (200, 0)


@given(st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_counters_that_wrap_change_nothing(sequence: int, timestamp: int) -> None:
    found = reception(stream(first_sequence=sequence, first_timestamp=timestamp))
    assert (found.expected, found.lost) == (200, 0)
    assert found.pace == pytest.approx(1.0)


def test_jitter_follows_the_delays() -> None:
    """RFC 3550's estimate of delays even over 0 to d tends to d/3."""
    chance = random.Random(7)
    delayed = [moved(p, chance.uniform(0, 0.06)) for p in stream(1000)]
    assert 15 < reception(sorted(delayed, key=lambda p: p.at)).jitter_ms < 30


def test_a_stall_is_measured_where_it_begins() -> None:
    found = reception([moved(p, 0.3 if i >= 100 else 0.0) for i, p in enumerate(stream())])
    assert found.stall == pytest.approx(0.3)
    assert found.stall_at == pytest.approx(99 * 0.02)


def test_a_pause_that_the_sender_meant_is_no_stall() -> None:
    """After silence that is not sent, timestamps jump as far as the clock."""
    quiet = [Packet(p.at, p.sequence, p.timestamp, 80, -90.0) for p in stream(100)]
    assert reception(quiet + resumed()).stall == pytest.approx(0, abs=0.001)


def test_a_pause_in_the_middle_of_sound_is_a_stall() -> None:
    assert reception(stream(100) + resumed()).stall == pytest.approx(3.0, abs=0.01)


def resumed() -> list[Packet]:
    """The stream three seconds after the end of its first 100 packets."""
    return [Packet(p.at + 5, p.sequence + 100, p.timestamp + 250 * 960, 80, -20.0) for p in stream(100)]


def test_packets_back_to_back_are_bursts() -> None:
    found = reception([moved(p, (9 - i % 10) * 0.02) for i, p in enumerate(stream())])
    assert found.bursts == pytest.approx(0.9, abs=0.01)


def test_pace_is_media_time_over_arrival_time() -> None:
    assert reception([moved(p, -p.at / 2) for p in stream()]).pace == pytest.approx(2.0)


@pytest.mark.parametrize("until", [10, 30, 60])
def test_a_delay_that_is_made_up_for_is_a_stall_and_no_pace(until: int) -> None:
    """What came first was held up until the others had come; the rest plays as it comes."""
    whole = stream(100)
    held = [moved(p, whole[until].at - p.at) if 0 < i < until else p for i, p in enumerate(whole)]
    first_late = [moved(p, max(0.0, whole[until].at - p.at)) for p in whole[: until + 1]] + whole[until + 1 :]
    assert reception(held).stall > 0.15
    for arrived in (held, first_late):
        found = reception(arrived)
        assert found.pace == pytest.approx(1.0, abs=0.25), until


def test_clipping_is_counted_where_there_is_sound() -> None:
    loud = [Packet(p.at, p.sequence, p.timestamp, 80, -3.0, 0.2) for p in stream(100)]
    silent = [Packet(p.at + 2, p.sequence + 100, p.timestamp + 96000, 80, -96.0, 0.0) for p in stream(100)]
    assert reception(loud + silent).clipped == pytest.approx(0.2)


def test_no_packets_and_one_packet_have_no_pace() -> None:
    assert reception([]).pace is None
    assert reception(stream(1)).pace is None
    assert reception([]).lost_percent == 0.0


def test_streams_are_kept_apart_and_in_order() -> None:
    timeline = timeline_of([packets(2.0, 400, ssrc=5), packets(1.0, 400, ssrc=5), packets(1.0, 200, ssrc=6)])
    found = streams(timeline)
    assert {ssrc: len(p) for ssrc, p in found.items()} == {5: 40, 6: 10}
    assert found[5][0].at == 1.0


def test_unwrapping_takes_each_value_as_near_as_it_can_be() -> None:
    assert unwrapped([65534, 65535, 0, 65533, 2], 16) == [65534, 65535, 65536, 65533, 65538]
    assert unwrapped([], 16) == []
