from __future__ import annotations

import base64

import numpy as np
import pytest

from harness.core.audio import Samples
from harness.websocket.player import FRAME, Player


def delta(samples: Samples) -> str:
    return base64.b64encode(samples.astype("<i2").tobytes()).decode()


def ramp(count: int, start: int = 1) -> Samples:
    return np.arange(start, start + count, dtype=np.int16)


def played(player: Player, frames: int = 20) -> list[Samples | None]:
    return [player.next_frame() for _ in range(frames)]


def test_pieces_of_any_size_leave_in_frames_and_in_order() -> None:
    player = Player()
    for start in range(0, 1000, 100):
        player.take("r", "i", 0, delta(ramp(100, start + 1)))
    player.is_whole("i")
    frames = [f for f in played(player) if f is not None]
    assert [len(f) for f in frames] == [FRAME] * 4
    joined = np.concatenate(frames[:3])
    assert joined[:1000].tolist() == list(range(1, 1001))
    assert not joined[1000:].any()  # filled up
    assert not frames[3].any()  # silence, where the item ends


def test_what_has_not_come_is_a_gap_and_no_silence() -> None:
    player = Player()
    player.take("r", "i", 0, delta(ramp(FRAME)))
    assert player.next_frame() is not None
    assert player.next_frame() is None
    assert player.is_playing
    player.take("r", "i", 0, delta(ramp(FRAME, 1000)))
    frame = player.next_frame()
    assert frame is not None
    assert frame[0] == 1000


def test_a_sample_cut_in_two_is_put_together() -> None:
    player, data = Player(), ramp(FRAME).astype("<i2").tobytes()
    for part in (data[:7], data[7:]):
        player.take("r", "i", 0, base64.b64encode(part).decode())
    frame = player.next_frame()
    assert frame is not None
    assert frame.tolist() == ramp(FRAME).tolist()


def test_the_next_item_waits_until_the_first_is_over() -> None:
    player = Player()
    player.take("r", "one", 0, delta(ramp(FRAME)))
    player.take("r", "two", 0, delta(ramp(FRAME, 2000)))
    player.are_whole("r")
    firsts = [f[0] for f in played(player) if f is not None]
    assert firsts == [1, 0, 2000, 0]


def test_the_callers_speech_cuts_what_plays_and_what_is_still_to_come() -> None:
    player = Player()
    player.take("r", "i", 2, delta(ramp(10 * FRAME)))
    played(player, 3)
    (cut,) = player.clear()
    assert (cut.response_id, cut.item_id, cut.content_index, cut.played_ms) == ("r", "i", 2, 60)
    player.take("r", "i", 2, delta(ramp(FRAME)))
    assert player.next_frame() is None
    player.take("r2", "other", 0, delta(ramp(FRAME, 7)))
    frame = player.next_frame()
    assert frame is not None
    assert frame[0] == 7


@pytest.mark.parametrize("text", ["no base64!", "AA=", "ä"])
def test_what_is_no_audio_is_counted_and_left_out(text: str) -> None:
    player = Player()
    player.take("r", "i", 0, text)
    assert player.unreadable == 1
    assert player.next_frame() is None
