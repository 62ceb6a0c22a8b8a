"""Speech and audio: what was said, sent, received and played."""

from __future__ import annotations

import msgspec

from harness.core.events.base import Event


class UtteranceStarted(Event, frozen=True, kw_only=True):
    """The first packet of a clip went out. `speech`: the clip's true speech, ms from the clip's start.

    `backchannel`: a hum of who listens, with a voice and without a word, so that nothing of it is speech.
    `noise_db`: how far below the speech noise lies under all of it; None without.
    """

    clip: str
    duration_ms: int
    speech: tuple[tuple[int, int], ...]
    transcript: str = ""
    muted: bool = False
    backchannel: bool = False
    noise_db: float | None = None


class UtteranceEnded(Event, frozen=True, kw_only=True):
    """The last packet of a clip went out; `cut` when it was broken off."""

    clip: str
    cut: bool = False


class MicrophoneChanged(Event, frozen=True, kw_only=True):
    """Muted or unmuted: packets flow on, but carry silence while muted."""

    muted: bool


class SendingStarted(Event, frozen=True, kw_only=True):
    """The first RTP packet of the call went out, with this RTP timestamp where the sender says it."""

    ssrc: int
    timestamp: int | None = None


class HearingStarted(Event, frozen=True, kw_only=True):
    """The upstream took its first RTP packet of the caller: the zero of its audio clock."""

    ssrc: int
    timestamp: int


class Packet(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One RTP packet on arrival: seconds, RTP sequence and timestamp, payload bytes, level, full-scale part.

    `dbfs` is the decoded level, None where it was not decoded; `clipped` the part of samples at full scale.
    """

    at: float
    sequence: int
    timestamp: int
    size: int
    dbfs: float | None = None
    clipped: float = 0.0


class PacketsReceived(Event, frozen=True, kw_only=True):
    """Up to a second of one audio stream; `at` is the first packet's arrival."""

    ssrc: int
    packets: tuple[Packet, ...]


class ReceiverReport(Event, frozen=True, kw_only=True):
    """What the other end says it lost of our stream (RFC 3550, section 6.4): a part of 1, and in all."""

    fraction_lost: float
    lost: int
    jitter_ms: float
    round_trip_ms: float | None = None


class AudioPlayed(Event, frozen=True, kw_only=True):
    """The upstream played this much of a clip; recorded by the fake when the playout ended."""

    clip: str
    duration_ms: int
    played_ms: int
    transcript: str = ""


class AudioSent(Event, frozen=True, kw_only=True):
    """The upstream began to send a clip over a WebSocket, faster than it plays; recorded by the fake."""

    clip: str
    duration_ms: int


class BeginningCompared(Event, frozen=True, kw_only=True):
    """How a reply began as it was heard, against the clip: `lost_ms` of its first sound were not."""

    clip: str
    lost_ms: int


class AudioCompared(Event, frozen=True, kw_only=True):
    """What was heard against what the fake played: STOI, 0 to 1."""

    clip: str
    stoi: float


class TranscriptCompared(Event, frozen=True, kw_only=True):
    """What the upstream wrote down of an utterance, against the recording's words: 0 is perfect.

    `first_words_missing`: words at the beginning of `said` that were left out.
    """

    clip: str
    language: str
    said: str
    heard: str
    word_error_rate: float
    first_words_missing: int = 0


class MarkHeard(Event, frozen=True, kw_only=True):
    """A call's own tone was heard: `heard` and `expected` name marks, which follow from calls' ufrags."""

    heard: str
    expected: str


class StretchHeard(Event, frozen=True, kw_only=True):
    """A light timeline's record in place of packets: one stream from `at` to `until`, both arrivals.

    `audible`: sound without a pause; else what lies between such. `packets` came, `lost` did not; they carry
    `media_ms`. `jitter_ms` is RFC 3550's at its highest, `stall_ms` the longest wait beyond the sender's.
    """

    until: float
    ssrc: int
    audible: bool
    packets: int
    lost: int = 0
    media_ms: float = 0.0
    jitter_ms: float = 0.0
    stall_ms: float = 0.0


class OtherCodecHeard(Event, frozen=True, kw_only=True):
    """The first packet of a codec that was negotiated and that we do not decode: `codec` as in a=rtpmap."""

    payload_type: int
    codec: str
