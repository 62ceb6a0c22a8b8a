"""Opus (RFC 6716) in 20 ms packets, 48 kHz mono: encoded once, ready for RTP (RFC 7587)."""

from __future__ import annotations

from functools import lru_cache

import av
import numpy as np
from av.error import FFmpegError

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS, FRAME_SAMPLES, RATE
from harness.speech import generate

BIT_RATE = 32_000  # what browsers use for one voice

# A CELT full-band frame whose silence flag is set: decodes to zeros (RFC 6716, section 4.3).
SILENCE = b"\xf8\xff\xfe"

COMFORT_DBFS = -66.0  # heard as a live line by people, as nothing by a voice activity detector


class OpusDecodingError(ValueError):
    """A payload that is no Opus packet: whoever sent it is to blame."""


class Encoder:
    """One continuous stream: each frame of 960 samples becomes a packet, `lookahead` samples late."""

    def __init__(self, bit_rate: int = BIT_RATE) -> None:
        self._codec = av.AudioCodecContext.create("libopus", "w")
        self._codec.sample_rate = RATE
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.bit_rate = bit_rate
        self._codec.options = {"application": "voip", "frame_duration": str(FRAME_MS)}
        self._codec.open()
        self._at = 0

    @property
    def lookahead(self) -> int:
        """Samples by which decoded audio trails its source: the pre-skip of RFC 7845, section 5.1."""
        header = self._codec.extradata or b""
        return int.from_bytes(header[10:12], "little")

    def encode(self, frame: Samples) -> bytes:
        """The packet for the next 20 ms. Raises ValueError for any other number of samples."""
        if frame.shape != (FRAME_SAMPLES,):
            raise ValueError(f"an Opus frame is {FRAME_SAMPLES} samples, not an array of {frame.shape}")
        picture = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frame).reshape(1, -1), format="s16", layout="mono"
        )
        picture.sample_rate = RATE
        picture.pts = self._at
        self._at += FRAME_SAMPLES
        return b"".join(bytes(packet) for packet in self._codec.encode(picture))


def encode(samples: Samples, bit_rate: int = BIT_RATE) -> tuple[bytes, ...]:
    """Packets whose decoding starts where the samples start: packet n carries samples 960n to 960n+959.

    The encoder's lookahead (6.5 ms) is cancelled by leaving out as much of the beginning, so that true speech
    intervals of the source hold on the wire as well. Encoder and decoder thus begin alike: a decoder that
    misses a stream's first packet predicts from another past, and a steady tone swells to full scale. The
    last packet is filled up with silence.
    """
    encoder = Encoder(bit_rate)
    count = -(-len(samples) // FRAME_SAMPLES)
    padded = np.zeros(count * FRAME_SAMPLES, np.int16)
    heard = samples[encoder.lookahead :]
    padded[: len(heard)] = heard
    return tuple(encoder.encode(frame) for frame in padded.reshape(-1, FRAME_SAMPLES))


class Decoder:
    """One continuous stream of packets to 48 kHz mono; stereo is mixed down."""

    def __init__(self) -> None:
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = RATE
        self._codec.layout = "mono"

    def decode(self, packet: bytes) -> Samples:
        """The packet's samples: 960 for 20 ms, as many as its header says otherwise.

        Raises OpusDecodingError; the decoder can go on with the next packet.
        """
        if not packet:
            raise OpusDecodingError("an empty payload is no Opus packet")
        try:
            frames = self._codec.decode(av.Packet(packet))
        except FFmpegError as error:
            raise OpusDecodingError(f"{len(packet)} bytes are no Opus packet: {error}") from error
        # One channel of 16 bits: a plane holds the samples as they are, then what alignment adds.
        pieces = [np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples) for frame in frames]
        return pieces[0].copy() if len(pieces) == 1 else np.concatenate(pieces)


@lru_cache(maxsize=1)
def comfort_noise() -> tuple[bytes, ...]:
    """Two seconds of faint pink noise, to be repeated between utterances as a live microphone would."""
    return encode(generate.pink_noise(2000, level_dbfs=COMFORT_DBFS, seed=0))
