"""A caller who sends G.711, which the answer takes where it was offered: heard as an Opus caller is."""

from __future__ import annotations

import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS, FRAME_SAMPLES
from harness.core.sdp import Section
from harness.fakes.openai.media.answer import G711, answered_codecs
from harness.fakes.openai.speaking import wire_audio
from harness.speech.opus import Encoder, OpusDecodingError

PACKET_BYTES = 8 * FRAME_MS  # RFC 3551, section 4.2: 20 ms is the default, and the answer names no other


def telephone_formats(audio: Section | None) -> dict[int, str]:
    """Payload type → format of `wire_audio`, of the G.711 codecs that the answer to this section takes."""
    codecs = answered_codecs(audio) if audio is not None else []
    return {codec.payload_type: f"audio/{codec.name}" for codec in codecs if codec.name in G711}


class Telephone:
    """One continuous stream of G.711 packets, as Opus packets and 48 kHz samples."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._last = 0

    def take(self, payload: bytes, format_type: str) -> tuple[bytes, Samples]:
        """The same 20 ms as an Opus packet, and its samples. Raises OpusDecodingError for another length."""
        if len(payload) != PACKET_BYTES:
            raise OpusDecodingError(f"{len(payload)} bytes are no {FRAME_MS} ms of G.711")
        narrow = np.concatenate(([self._last], wire_audio.decode(payload, format_type)))
        self._last = int(narrow[-1])
        at = np.linspace(0, PACKET_BYTES, FRAME_SAMPLES + 1)[1:]
        samples = np.interp(at, np.arange(len(narrow)), narrow).astype(np.int16)
        return self._encoder.encode(samples), samples
