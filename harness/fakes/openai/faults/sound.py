"""The fake's audio goes wrong: what is in the packets, or when and whether they leave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle

import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS
from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.hearing.listening import decoded
from harness.fakes.openai.media.hooks import MEDIA, MediaFault, RtpLink
from harness.fakes.openai.speaking.voices import mark_reply
from harness.speech import generate, opus

STALL_AFTER = 50  # packets: a second
OVERDRIVE = 1000.0  # Opus rounds off what is only just too loud

fault = MEDIA.fault


@fault("no-audio", "sends no audio at all", stage="audio")
class NoAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return [None] * len(packets)

    def idle_packet(self, packet: bytes) -> bytes | None:
        return None


@fault("silent-audio", "sends replies of silence", stage="audio")
class SilentAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return [opus.SILENCE] * len(packets)


@fault(
    "quiet-audio",
    "turns its replies' volume down to next to nothing",
    stage="audio",
    default=45.0,
    value_help="dB less",
)
class QuietAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return _amplified(tuple(packets), 10 ** (-float(self.value) / 20))


@fault(
    "first-words-lost",
    "begins to speak before the caller can hear, as to a sideband that asks too early",
    stage="audio",
    default=1500,
    value_help="ms of the first reply that are not sent",
)
class FirstWordsLost(MediaFault):
    _begun = False

    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        if self._begun:
            return packets
        self._begun = True
        lost = min(int(self.value) // FRAME_MS, len(packets))
        return [*[None] * lost, *packets[lost:]]


@fault(
    "noise-between-replies",
    "hisses while it does not speak",
    stage="audio",
    default=35.0,
    value_help="dB below full scale",
)
class NoiseBetweenReplies(MediaFault):
    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        super().__init__(value, rng)
        self._noise = cycle(_hiss(-float(value)))

    def idle_packet(self, packet: bytes) -> bytes | None:
        return next(self._noise)


@fault("clipped-audio", "overdrives its replies", stage="audio")
class ClippedAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return _amplified(tuple(packets), OVERDRIVE)


@fault(
    "truncated-audio",
    "breaks a reply's audio off",
    stage="audio",
    default=0.4,
    value_help="the part of 1 that is played",
)
class TruncatedAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return packets[: max(1, round(len(packets) * min(1.0, float(self.value))))]


@fault(
    "garbled-audio",
    "sends the packets of a reply in disorder",
    stage="audio",
    default=200,
    value_help="ms within which packets are shuffled",
)
class GarbledAudio(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        size = max(2, int(self.value) // FRAME_MS)
        windows = [list(packets[i : i + size]) for i in range(0, len(packets), size)]
        for window in windows:
            self.rng.shuffle(window)
        return [packet for window in windows for packet in window]


@fault("cross-talk", "plays what belongs to another call", stage="audio")
class CrossTalk(MediaFault):
    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        return mark_reply(f"another than {call_name}").packets


class _Link:
    """A link in front of another; a fault's link overrides `send_rtp`, and what it lets pass is protected."""

    def __init__(self, link: RtpLink, fault: MediaFault) -> None:
        self.onward = link
        self.fault = fault

    def send_rtp(self, packet: bytes) -> bool:
        return self.onward.send_rtp(packet)

    def protect_rtp(self, packet: bytes) -> bytes | None:
        return packet

    def send_protected(self, packet: bytes) -> bool:
        return self.send_rtp(packet)

    def send_rtcp(self, packet: bytes) -> bool:
        return self.onward.send_rtcp(packet)


@fault(
    "packet-loss",
    "loses some of the packets it sends",
    stage="audio",
    default=10.0,
    value_help="percent of packets",
)
class PacketLoss(MediaFault):
    def link(self, link: RtpLink) -> RtpLink:
        return _Lossy(link, self)


class _Lossy(_Link):
    def send_rtp(self, packet: bytes) -> bool:
        if self.fault.rng.random() * 100 < float(self.fault.value):
            return True
        return super().send_rtp(packet)


@fault(
    "jitter",
    "delays each packet by a chance of its own",
    stage="audio",
    default=120,
    value_help="ms, the longest delay",
)
class Jitter(MediaFault):
    def link(self, link: RtpLink) -> RtpLink:
        return _Jittery(link, self)


class _Jittery(_Link):
    def send_rtp(self, packet: bytes) -> bool:
        delay = self.fault.rng.random() * float(self.fault.value) / 1000
        asyncio.get_running_loop().call_later(delay, super().send_rtp, packet)
        return True


@fault(
    "audio-gaps",
    "stalls a second into each reply, and goes on where it stopped",
    stage="audio",
    default=400,
    value_help="ms without packets",
)
class AudioGaps(MediaFault):
    _sent: int | None = None

    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
        self._sent = 0
        return packets

    def link(self, link: RtpLink) -> RtpLink:
        return _Stalling(link, self)

    def stalls(self) -> float:
        """Seconds to stall before the packet that is to be sent now."""
        if self._sent is None:
            return 0.0
        self._sent += 1
        return float(self.value) / 1000 if self._sent == STALL_AFTER else 0.0


class _Stalling(_Link):
    """What is held back once stays late: as behind a sender that lost time and never makes it up."""

    def __init__(self, link: RtpLink, fault: AudioGaps) -> None:
        super().__init__(link, fault)
        self._gaps = fault
        self._late = 0.0

    def send_rtp(self, packet: bytes) -> bool:
        self._late += self._gaps.stalls()
        if not self._late:
            return super().send_rtp(packet)
        asyncio.get_running_loop().call_later(self._late, super().send_rtp, packet)
        return True


@fault(
    "audio-bursts",
    "sends packets in bursts instead of one each 20 ms",
    stage="audio",
    default=400,
    value_help="ms of audio in a burst",
)
class AudioBursts(MediaFault):
    def link(self, link: RtpLink) -> RtpLink:
        return _Bursty(link, self)


class _Bursty(_Link):
    def __init__(self, link: RtpLink, fault: MediaFault) -> None:
        super().__init__(link, fault)
        self._held: list[bytes] = []

    def send_rtp(self, packet: bytes) -> bool:
        self._held.append(packet)
        if len(self._held) * FRAME_MS >= int(self.fault.value):
            for held in self._held:
                super().send_rtp(held)
            self._held.clear()
        return True


@lru_cache(maxsize=64)
def _amplified(packets: tuple[bytes, ...], gain: float) -> tuple[bytes, ...]:
    samples: Samples = np.clip(decoded(packets).astype(np.int32) * gain, -32768, 32767).astype(np.int16)
    return opus.encode(samples, bit_rate=128_000)


@lru_cache(maxsize=8)
def _hiss(level_dbfs: float) -> tuple[bytes, ...]:
    return opus.encode(generate.white_noise(2000, level_dbfs=level_dbfs, seed=4))
