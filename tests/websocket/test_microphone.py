from __future__ import annotations

import numpy as np

from harness.websocket.microphone import NOISE, PcmMicrophone, SpokenSamples
from harness.websocket.player import FRAME


class Told:
    def __init__(self) -> None:
        self.events: list[object] = []

    def spoken(self, frames: float) -> SpokenSamples:
        samples = np.full(int(frames * FRAME), 1000, np.int16)
        return SpokenSamples(
            samples,
            on_started=lambda: self.events.append("started"),
            on_ended=lambda cut: self.events.append(("ended", cut)),
            on_sent=lambda: self.events.append("sent"),
        )


def test_silence_flows_until_something_is_said_and_after_it() -> None:
    microphone, told = PcmMicrophone(), Told()
    assert not microphone.next_frame().any()
    microphone.say(told.spoken(2.5))
    frames = [microphone.next_frame() for _ in range(4)]
    assert [int(f.sum()) for f in frames] == [1000 * FRAME, 1000 * FRAME, 500 * FRAME, 0]
    assert all(len(f) == FRAME for f in frames)
    assert told.events == ["started", ("ended", False), "sent"]


def test_muted_speech_runs_on_unheard() -> None:
    microphone, told = PcmMicrophone(), Told()
    microphone.muted = True
    microphone.say(told.spoken(2))
    assert not any(microphone.next_frame().any() for _ in range(3))
    assert told.events == ["started", ("ended", False), "sent"]


def test_who_falls_silent_cuts_what_was_begun_and_drops_what_waits() -> None:
    microphone, begun, waiting = PcmMicrophone(), Told(), Told()
    microphone.say(begun.spoken(3))
    microphone.say(waiting.spoken(3))
    microphone.next_frame()
    microphone.fall_silent()
    assert begun.events == ["started", ("ended", True), "sent"]
    assert waiting.events == ["sent"]
    assert not microphone.next_frame().any()


def test_comfort_noise_is_faint_and_repeats_with_its_seed() -> None:
    one, other = (PcmMicrophone(comfort_noise=True, seed=7) for _ in range(2))
    frames = one.next_frame(), other.next_frame()
    assert frames[0].tolist() == frames[1].tolist()
    assert 0 < np.abs(frames[0]).max() <= NOISE
