from __future__ import annotations

import random

from harness.core.events import Packet
from tools.transports.jitter_buffer import Frame, played

FRAMES = 400  # 8 s


def stream(delays: list[float | None]) -> list[Packet]:
    """Packets of 20 ms with these delays, None for those that are lost; by arrival."""
    sent = [(n * 0.02 + d, n) for n, d in enumerate(delays) if d is not None]
    return [
        Packet(at, n & 0xFFFF, (n * 960 + 4_294_900_000) & 0xFFFFFFFF, 80, -20.0) for at, n in sorted(sent)
    ]


def concealed(frames: list[Frame]) -> int:
    return sum(frame.packet is None for frame in frames)


def order(frames: list[Frame]) -> list[int]:
    return [frame.packet.sequence for frame in frames if frame.packet is not None]


def test_what_comes_evenly_is_played_as_it_is() -> None:
    frames = played(stream([0.05] * FRAMES))
    assert concealed(frames) == 0
    assert order(frames) == list(range(FRAMES))
    assert frames[0].at == 0.05


def test_one_that_is_lost_is_concealed_for_its_own_time() -> None:
    frames = played(stream([0.05] * 200 + [None] + [0.05] * 199))
    assert concealed(frames) == 1
    assert order(frames) == [n for n in range(FRAMES) if n != 200]


def test_a_blackout_is_as_long_as_it_was_and_nothing_is_late_after_it() -> None:
    frames = played(stream([0.05] * 200 + [None] * 100 + [0.05] * 100))
    assert concealed(frames) == 100
    last = frames[-1]
    assert last.packet is not None
    assert last.at - last.packet.at <= 0.1


def test_what_a_stall_held_back_is_played_late_and_the_delay_is_made_up_for() -> None:
    held = [max(0.05, 0.45 - 0.02 * (n - 200)) if 200 <= n < 221 else 0.05 for n in range(FRAMES)]
    frames = played(stream(list(held)))
    assert 15 <= concealed(frames) <= 20
    assert order(frames) == list(range(FRAMES))
    last = frames[-1]
    assert last.packet is not None
    assert last.at - last.packet.at <= 0.5


def test_jitter_is_met_with_a_delay_that_grows_until_next_to_nothing_is_missing() -> None:
    rng = random.Random(7)
    delays: list[float | None] = [0.05 + rng.random() * 0.12 for _ in range(4 * FRAMES)]
    frames = played(stream(delays))
    half = [frame for frame in frames if frame.at > 2 * FRAMES * 0.02]
    assert concealed(half) <= 0.01 * len(half)
    waits = sorted(f.at - f.packet.at for f in half if f.packet is not None)
    assert 0.02 <= waits[len(waits) // 2] <= 0.2


def test_of_nothing_nothing_is_played() -> None:
    assert played([]) == []
