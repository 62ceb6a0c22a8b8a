"""What a conversation asks of the I/O around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.speaking.replies import SpokenReply


@dataclass(frozen=True)
class Send:
    """Send the event to the client as JSON."""

    event: dict[str, Any]


@dataclass(frozen=True)
class SendRaw:
    """Send a text that is not what the API would send: a fault's doing."""

    text: str


@dataclass(frozen=True)
class Play:
    """Play the reply to the caller, from its start at real-time pace (WebRTC); never two at a time."""

    response_id: str
    item_id: str
    reply: SpokenReply


@dataclass(frozen=True)
class Carrying:
    """From here on audio deltas carry the reply (WebSocket): nothing to do, and worth a record."""

    reply: SpokenReply


@dataclass(frozen=True)
class StopPlaying:
    """Stop at once; no `playout_finished` is expected for it."""

    response_id: str


@dataclass(frozen=True)
class AppendInput:
    """The client appended audio by an event: feed it to the segmenter, then report what it heard.

    `format` is the session's input format, audio/pcm, audio/pcmu or audio/pcma: see `wire_audio`.
    """

    audio: bytes
    format: str


@dataclass(frozen=True)
class ClearInput:
    """The input buffer was cleared: the segmenter forgets the utterance in progress."""


@dataclass(frozen=True)
class Close:
    """Close the channel, or the WebSocket with this code; nothing follows."""

    reason: str
    code: int


Output = Send | SendRaw | Play | Carrying | StopPlaying | AppendInput | ClearInput | Close
