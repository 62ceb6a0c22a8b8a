"""The fake's loudspeaker: replies packet by packet at the pacer's 20 ms, silence in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core.audio_format import FRAME_MS
from harness.fakes.openai.media.hooks import MediaFault
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.peer.source import ENDLESS
from harness.speech.opus import SILENCE


@dataclass(eq=False)
class OutgoingReply:
    """A reply on its way out."""

    response_id: str
    reply: SpokenReply
    packets: Sequence[bytes | None]
    at: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing of the reply was left out."""
        return len(self.packets) * FRAME_MS >= self.reply.duration_ms

    @property
    def played_ms(self) -> int:
        return min(self.at * FRAME_MS, self.reply.duration_ms)


class PacketPlayout:
    """A PacketSource. `on_progress(played_ms)` after so many packets, `on_over(playing, whole)` at the end.

    `idle` False sends nothing between replies, as discontinuous transmission does.
    """

    def __init__(
        self,
        *,
        call_name: str,
        idle: bool,
        faults: Sequence[MediaFault],
        on_progress: Callable[[int], None],
        on_over: Callable[[OutgoingReply, bool], None],
        progress_every: int = 1,
    ) -> None:
        self._call_name = call_name
        self._idle = idle
        self._faults = faults
        self._on_progress = on_progress
        self._on_over = on_over
        self._progress_every = progress_every
        self._playing: OutgoingReply | None = None

    def play(self, response_id: str, reply: SpokenReply) -> None:
        """Start a reply; one that is playing is broken off."""
        self.stop()
        packets: Sequence[bytes | None] = reply.packets
        for fault in self._faults:
            packets = fault.packets([p for p in packets if p is not None], self._call_name)
        self._playing = OutgoingReply(response_id, reply, packets)

    def pass_over(self, seconds: float) -> None:
        """So much of what is playing went out when nobody could receive it."""
        if self._playing is not None:
            passed = int(seconds * 1000) // FRAME_MS
            self._playing.at = min(self._playing.at + passed, len(self._playing.packets))

    def stop(self) -> None:
        """Fall silent at once."""
        playing, self._playing = self._playing, None
        if playing is not None:
            self._on_over(playing, False)

    def next_packet(self) -> bytes | None:
        """The packet of this 20 ms."""
        playing = self._playing
        if playing is None:
            return self._silence()
        if playing.at >= len(playing.packets):
            self._playing = None
            self._on_over(playing, True)
            return self._silence()
        packet = playing.packets[playing.at]
        playing.at += 1
        if playing.at % self._progress_every == 0 or playing.at == len(playing.packets):
            self._on_progress(playing.played_ms)
        return packet

    def foreseen(self) -> int:
        """Packets until there is progress or an end to tell; of silence as many as one likes."""
        playing = self._playing
        if playing is None:
            return ENDLESS
        taken, left = playing.at + 1, len(playing.packets) - playing.at
        return max(1, min(self._progress_every - taken % self._progress_every, left - 1))

    def _silence(self) -> bytes | None:
        packet: bytes | None = SILENCE if self._idle else None
        for fault in self._faults:
            packet = fault.idle_packet(packet) if packet is not None else None
        return packet
