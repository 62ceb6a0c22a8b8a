from __future__ import annotations

import random
import statistics
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.network.impairments import CLEAR, Impairment, Path

PACKETS = 40_000
APART = 0.02

parts = st.floats(0, 0.9)
impairments = st.builds(
    lambda delay, wobble, **more: Impairment(delay_ms=delay, jitter_ms=delay * wobble, **more),
    delay=st.floats(0, 500),
    wobble=st.floats(0, 0.5),
    loss=parts,
    burst_loss=parts,
    burst_packets=st.floats(1, 50),
    reorder=parts,
    duplicate=parts,
    rate_kbps=st.sampled_from([0, 64, 1000]),
)


def sent_over(
    impairment: Impairment, packets: int = PACKETS, seed: int = 1, size: int = 100
) -> list[list[float]]:
    """For each packet, 20 ms apart, its delays in seconds; none where it was lost."""
    path = Path(impairment, random.Random(seed))
    return [[out - i * APART for out in path.send(i * APART, size)] for i in range(packets)]


def lost_part(fates: list[list[float]]) -> float:
    return sum(not fate for fate in fates) / len(fates)


def test_a_clear_path_passes_everything_at_once() -> None:
    assert all(fate == [0.0] for fate in sent_over(CLEAR, 100))
    assert CLEAR.changed == {}


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.2, 1.0])
def test_random_loss_is_what_was_asked_for(loss: float) -> None:
    assert lost_part(sent_over(Impairment(loss=loss))) == pytest.approx(loss, abs=0.005)


@pytest.mark.parametrize(("part", "length"), [(0.05, 4), (0.04, 12), (0.3, 2)])
def test_bursts_have_their_share_and_their_mean_length(part: float, length: float) -> None:
    fates = sent_over(Impairment(burst_loss=part, burst_packets=length), 200_000)
    bursts = [len(list(run)) for lost, run in groupby(fates, key=lambda fate: not fate) if lost]
    # Of the bursts of 12 there are some 700: their share is known to a twentieth, as standard deviations go.
    assert lost_part(fates) == pytest.approx(part, rel=0.15)
    assert statistics.mean(bursts) == pytest.approx(length, rel=0.1)


@pytest.mark.parametrize("apart", [0.001, 0.5])
def test_a_burst_lasts_as_long_however_much_is_sent_in_it(apart: float) -> None:
    """TCP sends much at once and then waits: neither may make the channel worse or better."""
    path = Path(Impairment(burst_loss=0.1, burst_packets=10), random.Random(3))
    lost = [not path.send(n * apart, 100) for n in range(round(20_000 * 0.02 / min(apart, 0.02)))]
    assert sum(lost) / len(lost) == pytest.approx(0.1, rel=0.2)
    bursts = [len(list(run)) * apart for was_lost, run in groupby(lost) if was_lost]
    if apart < 0.02:
        assert statistics.mean(bursts) == pytest.approx(10 * 0.02, rel=0.2)
    else:  # the next attempt, half a second later, mostly finds the channel good again
        assert statistics.mean(bursts) < 1.4 * apart


def test_jitter_varies_the_delay_around_its_mean_and_keeps_the_order() -> None:
    fates = sent_over(Impairment(delay_ms=80, jitter_ms=20))
    delays = [1000 * delay for fate in fates for delay in fate]
    outs = [i * APART + fate[0] for i, fate in enumerate(fates)]
    assert statistics.mean(delays) == pytest.approx(80, abs=3)
    assert statistics.stdev(delays) == pytest.approx(20, rel=0.1)
    assert outs == sorted(outs)


def test_jitter_is_smooth_as_queues_are() -> None:
    delays = [fate[0] for fate in sent_over(Impairment(delay_ms=80, jitter_ms=20), 5000)]
    steps = [abs(b - a) for a, b in pairwise(delays)]
    assert statistics.mean(steps) < statistics.stdev(delays)


def test_held_back_packets_are_overtaken() -> None:
    fates = sent_over(Impairment(delay_ms=10, reorder=0.1))
    outs = [i * APART + fate[0] for i, fate in enumerate(fates)]
    overtaken = sum(b < a for a, b in pairwise(outs)) / len(outs)
    assert overtaken == pytest.approx(0.09, abs=0.01)  # one that is behind another held-back one is not seen


def test_duplicates_come_out_twice() -> None:
    fates = sent_over(Impairment(duplicate=0.1))
    assert sum(len(fate) == 2 for fate in fates) / len(fates) == pytest.approx(0.1, abs=0.01)


def test_a_slow_link_sends_at_its_rate_and_drops_what_its_queue_cannot_hold() -> None:
    """1000 bytes every 20 ms are 400 kbit/s: half of it has no room on 200 kbit/s."""
    fates = sent_over(Impairment(rate_kbps=200, queue_ms=200), 5000, size=1000)
    assert lost_part(fates) == pytest.approx(0.5, abs=0.02)
    outs = [i * APART + fate[0] for i, fate in enumerate(fates) if fate]
    assert min(b - a for a, b in pairwise(outs)) == pytest.approx(0.04, rel=0.01)
    assert max(delay for fate in fates for delay in fate) <= 0.2 + 0.04 + 1e-9


@given(impairment=impairments, seed=st.integers(0, 1000))
def test_whatever_is_asked_nothing_arrives_before_it_is_sent_and_the_books_balance(
    impairment: Impairment, seed: int
) -> None:
    path = Path(impairment, random.Random(seed))
    came_out = 0
    for i in range(300):
        outs = path.send(i * APART, 200)
        assert all(out >= i * APART for out in outs)
        came_out += len(outs)
    counted = path.counted
    assert came_out == counted.packets - counted.lost + counted.duplicated
    assert counted.packets == 300


@given(impairment=impairments, seed=st.integers(0, 1000))
def test_the_same_seed_gives_the_same_fate(impairment: Impairment, seed: int) -> None:
    assert sent_over(impairment, 100, seed) == sent_over(impairment, 100, seed)


def test_another_seed_gives_another_fate() -> None:
    train = Impairment(loss=0.05, delay_ms=50, jitter_ms=20)
    assert sent_over(train, 100, seed=1) != sent_over(train, 100, seed=2)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"loss": 1.5}, "loss 1.5 is not between 0 and 1"),
        ({"loss": -0.1}, "loss -0.1"),
        ({"delay_ms": -5}, "delay_ms cannot be -5"),
        ({"delay_ms": float("nan")}, "delay_ms cannot be nan"),
        ({"burst_loss": 1.0}, "burst_loss under 1"),
        ({"burst_packets": 0.5}, "1 packet or more"),
        ({"delay_ms": 10, "jitter_ms": 20}, "raise delay_ms"),
    ],
)
def test_what_no_network_can_do_is_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        Impairment(**wrong)
