from __future__ import annotations

import numpy as np

from harness.core.audio import Samples
from harness.core.clock import ManualClock, RelativeClock
from harness.core.events import Event, StretchHeard
from harness.peer.heard_lightly import PAUSE, PROBED, PROBED_IN_PAUSE, ReceivedAudioLight
from harness.peer.rtcp import StreamStatistics
from harness.speech.opus import SILENCE

LOUD, FAINT, BROKEN = b"a loud packet", b"a faint packet", b"no packet"


class Line:
    """A stream of packets, 20 ms apart unless told otherwise, into a light ear."""

    def __init__(self) -> None:
        self.recorded: list[Event] = []
        self.decoded: list[bytes] = []
        self.ear = ReceivedAudioLight(
            self.recorded.append, RelativeClock(ManualClock(100.0)), lambda: self._decode
        )
        self._stream = StreamStatistics(7)
        self._sent = 0

    def _decode(self, payload: bytes) -> Samples:
        self.decoded.append(payload)
        if payload == BROKEN:
            raise ValueError("not Opus")
        return np.full(960, 8000 if payload == LOUD else 3, np.int16)

    def comes(self, payload: bytes, count: int, *, late: float = 0.0, lost: bool = False) -> None:
        for _ in range(count):
            self._sent += 1
            if not lost:
                at, timestamp = 100.0 + self._sent * 0.02 + late, self._sent * 960
                sequence = self._stream.add(self._sent & 0xFFFF, timestamp & 0xFFFFFFFF, at)
                self.ear.packet(at, sequence, timestamp, payload, self._stream)

    def stretches(self) -> list[StretchHeard]:
        self.ear.flush()
        return [event for event in self.recorded if isinstance(event, StretchHeard)]


def test_sound_between_digital_silence_is_told_to_the_packet_and_hardly_decoded() -> None:
    line = Line()
    line.comes(SILENCE, 50)
    line.comes(LOUD, 100)
    line.comes(SILENCE, 50)
    silence, sound, after = line.stretches()
    assert [s.audible for s in (silence, sound, after)] == [False, True, False]
    assert [round(s.at, 6) for s in (silence, sound)] == [0.02, 1.02]
    assert (round(sound.until, 6), sound.packets) == (3.0, 100)
    assert line.ear.last_audible == sound.until
    assert len(line.decoded) == 1 + 99 // PROBED


def test_a_short_pause_belongs_to_the_speech_around_it() -> None:
    line = Line()
    line.comes(LOUD, 20)
    line.comes(SILENCE, PAUSE - 1)
    line.comes(LOUD, 20)
    line.comes(SILENCE, PAUSE + 1)
    assert [s.audible for s in line.stretches()] == [True, False]


def test_sound_that_fades_into_noise_ends_within_the_probes() -> None:
    """Where no digital silence follows, only decoding can tell; a probe in so many packets does."""
    line = Line()
    line.comes(LOUD, 100)
    line.comes(FAINT, 100)
    sound, noise = line.stretches()
    assert 2.0 <= sound.until <= 2.0 + PROBED * 0.02
    assert noise.at <= sound.until + (PAUSE + 2) * 0.02
    line.comes(LOUD, 1)
    assert line.ear.last_audible > 4.0  # the onset itself is told at once: noise is decoded packet by packet


def test_noise_within_speech_is_probed_more_often_than_speech() -> None:
    line = Line()
    line.comes(LOUD, PROBED)
    line.comes(FAINT, PROBED_IN_PAUSE + 1)
    line.comes(LOUD, PROBED)
    assert [s.audible for s in line.stretches()] == [True]


def test_loss_jitter_and_stalls_are_counted_where_they_happened() -> None:
    line = Line()
    line.comes(LOUD, 20)
    line.comes(LOUD, 5, lost=True)
    line.comes(LOUD, 20)
    line.comes(LOUD, 20, late=0.3)
    [sound] = line.stretches()
    assert (sound.packets, sound.lost) == (60, 5)
    assert round(sound.stall_ms) == 300
    assert sound.jitter_ms > 15


def test_a_call_that_carries_only_silence_has_no_audible_stretch() -> None:
    line = Line()
    line.comes(SILENCE, 30)
    line.comes(FAINT, 30)
    assert [s.audible for s in line.stretches()] == [False]
    assert line.ear.last_audible == float("-inf")


def test_what_cannot_be_decoded_is_counted_and_not_taken_for_sound() -> None:
    line = Line()
    line.comes(BROKEN, 3)
    assert line.ear.undecodable == 3
    assert [s.audible for s in line.stretches()] == [False]


def test_another_stream_is_another_stretch() -> None:
    line = Line()
    line.comes(LOUD, 3)
    line._stream = StreamStatistics(8)
    line.comes(LOUD, 3)
    assert [s.ssrc for s in line.stretches()] == [7, 8]


def test_no_samples_are_kept() -> None:
    line = Line()
    line.comes(LOUD, 3)
    assert line.ear.samples().size == 0
