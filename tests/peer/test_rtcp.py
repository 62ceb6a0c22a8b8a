from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from harness.peer.rtcp import StreamStatistics, read_reports, receiver_report, sender_report


def feed(statistics: StreamStatistics, sequences: list[int], spacing: float = 0.02) -> None:
    for index, sequence in enumerate(sequences):
        statistics.add(sequence & 0xFFFF, (sequence * 960) & 0xFFFFFFFF, index * spacing)


@given(st.integers(0, 65535), st.integers(2, 400), st.integers(0, 2**32))
def test_loss_is_counted_exactly_across_the_wrap_of_the_sequence(start: int, count: int, seed: int) -> None:
    rng = random.Random(seed)
    kept = [0, *[i for i in range(1, count - 1) if rng.random() > 0.3], count - 1]
    statistics = StreamStatistics(1)
    for i in kept:
        statistics.add((start + i) & 0xFFFF, i * 960, i * 0.02)
    assert statistics.expected == count
    assert statistics.lost == count - len(kept)


@given(st.permutations(list(range(12))))
def test_order_does_not_make_loss(order: list[int]) -> None:
    statistics = StreamStatistics(1)
    statistics.add(100, 0, 0.0)
    for i in order:
        statistics.add(101 + i, i * 960, 0.02 * i)
    assert statistics.lost == 0


def test_a_duplicate_is_not_received_twice() -> None:
    statistics = StreamStatistics(1)
    feed(statistics, [1, 2, 2, 3])
    assert (statistics.received, statistics.duplicates, statistics.lost) == (3, 1, 0)


def test_an_even_stream_has_no_jitter_and_an_uneven_one_has() -> None:
    even, uneven = StreamStatistics(1), StreamStatistics(2)
    for i in range(200):
        even.add(i, i * 960, i * 0.02)
        uneven.add(i, i * 960, i * 0.02 + (0.010 if i % 2 else 0.0))
    assert even.jitter_ms < 0.01
    assert 8 < uneven.jitter_ms < 11  # RFC 3550's estimate of a 10 ms swing tends to 10 ms


def test_a_report_says_what_was_lost_since_the_last_one() -> None:
    statistics = StreamStatistics(9)
    feed(statistics, [0, 1, 3])  # one of four
    first = statistics.report(last_sr=0, delay_since_sr=0.0)
    assert (first.fraction_lost, first.packets_lost, first.dlsr) == (64, 1, 0)
    assert statistics.report(last_sr=0, delay_since_sr=0.0).fraction_lost == 0


def test_the_round_trip_is_measured_through_the_other_ends_report() -> None:
    sr = sender_report(ssrc=5, cname="us", now=100.0, timestamp=0, packets=1, octets=1, blocks=[])
    last_sr, _ = read_reports(sr, our_ssrc=1, now=100.010)
    theirs = StreamStatistics(5)
    feed(theirs, [0, 1])
    rr = receiver_report(1, "them", [theirs.report(last_sr or 0, delay_since_sr=0.5)])
    _, seen = read_reports(rr, our_ssrc=5, now=100.530)
    assert 29 < (seen[0].round_trip_ms or 0) < 31


def test_a_report_about_another_stream_is_not_ours() -> None:
    theirs = StreamStatistics(5)
    feed(theirs, [0, 1])
    rr = receiver_report(1, "them", [theirs.report(0, 0.0)])
    assert read_reports(rr, our_ssrc=6, now=0.0) == (None, [])
