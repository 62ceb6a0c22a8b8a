"""Turns: what was said, what the server detected of it, and what it replied, paired in timeline time.

The server's `audio_start_ms` and `audio_end_ms` count from the first audio it received, and include the
prefix padding and the silence that the session asks for (Realtime API reference,
input_audio_buffer.speech_started and speech_stopped). Here they are converted to moments of the timeline at
which speech truly began and ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.audio import AUDIBLE_DBFS
from harness.core.events import CallStarted, Packet, PlayoutCleared, SendingStarted, ServerEvent, StretchHeard
from harness.core.reception import CLOCK_RATE, unwrapped
from harness.core.session import field as at_path
from harness.core.session import turn_detection_at
from harness.core.speech import Utterance, utterances
from harness.core.timeline import Timeline

PAIRING_SLACK = 0.3  # a detection this far beside an utterance is still its own
PACKET_SECONDS = 0.02


@dataclass(frozen=True)
class Detection:
    """One span from speech_started to speech_stopped.

    `started_at`, `stopped_at` and `committed_at` are arrivals of the events; `start` and `end` are where the
    stamps place the speech itself, None where there is no usable stamp (`start` too, where the padding was
    cut off at the stream's beginning).
    """

    item_id: str
    started_at: float
    stopped_at: float | None = None
    committed_at: float | None = None
    start: float | None = None
    end: float | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The best known interval of speech: by stamps, else by arrivals; endless while not stopped."""
        start = self.started_at if self.start is None else min(self.start, self.started_at)
        if self.end is not None:
            return start, max(self.end, start)
        return start, float("inf") if self.stopped_at is None else self.stopped_at


@dataclass(frozen=True)
class Reply:
    """One response. Moments are None where they never came; `status` is empty until response.done.

    `audible_seconds` is media time, by RTP timestamps: how fast it arrived does not matter.
    """

    id: str
    created_at: float
    done_at: float | None = None
    status: str = ""
    reason: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    playing_at: float | None = None
    stopped_at: float | None = None
    cleared_at: float | None = None
    first_audible: float | None = None
    last_audible: float | None = None
    audible_seconds: float = 0.0
    transcript: str = ""
    has_audio: bool = False
    calls_function: bool = False
    has_output: bool = False
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Cancelled, or cleared while it played."""
        return self.status == "cancelled" or self.cleared_at is not None

    @property
    def ended_playing(self) -> float | None:
        """When its audio ended or was cleared."""
        ends = [t for t in (self.stopped_at, self.cleared_at) if t is not None]
        return min(ends) if ends else None


@dataclass(frozen=True)
class Turn:
    """One utterance with the detections and replies that it led to; None for what nobody said."""

    utterance: Utterance | None
    detections: tuple[Detection, ...] = ()
    replies: tuple[Reply, ...] = ()

    @property
    def latency(self) -> float | None:
        """Seconds from the true end of speech to the first audible packet after it; None where none came."""
        if self.utterance is None:
            return None
        end = self.utterance.end
        heard = [r.first_audible for r in self.replies if r.first_audible is not None]
        return min((at - end for at in heard if at >= end), default=None)


def turns(timeline: Timeline) -> list[Turn]:
    """Every utterance in order, then the detections that fit none, each as a turn without an utterance."""
    return timeline.derived(_turns)


def _turns(timeline: Timeline) -> list[Turn]:
    said = utterances(timeline)
    detected = detections(timeline)
    answered = replies(timeline)
    owner = [_nearest(d, said) for d in detected]
    found = []
    for index, utterance in enumerate(said):
        own = tuple(d for d, o in zip(detected, owner, strict=True) if o == index)
        found.append(Turn(utterance, own, _replies_to(own, detected, answered)))
    strays = [d for d, o in zip(detected, owner, strict=True) if o is None]
    return found + [Turn(None, (d,), _replies_to((d,), detected, answered)) for d in strays]


def audio_zero(timeline: Timeline) -> float | None:
    """Zero of the server's audio clock: our first packet of audio, or earlier where that is seen.

    A gateway may have counted silence of its own before; no stamp is later than the event that brings it.
    Where the other end is seen, our first packet is known to be the zero.
    """
    sending, started = timeline.first(SendingStarted), timeline.first(CallStarted)
    if sending is None or started is None or started.mode != "black-box":
        return sending.at if sending else None
    stopped = timeline.server_events("input_audio_buffer.speech_stopped")
    stamps = [(event.at, _stamp((event.event or {}).get("audio_end_ms"))) for event in stopped]
    return min([sending.at, *(at - stamp / 1000 for at, stamp in stamps if stamp is not None)])


def detections(timeline: Timeline) -> list[Detection]:
    """Spans of detected speech, in order. Events are matched by item_id, else by their order."""
    return timeline.derived(_detections)


def _detections(timeline: Timeline) -> list[Detection]:
    zero = audio_zero(timeline)
    found: list[Detection] = []
    for event in timeline.server_events("input_audio_buffer.speech_started"):
        stamp = _stamp((event.event or {}).get("audio_start_ms"))
        start = None
        if zero is not None and stamp is not None and stamp > 0:
            start = zero + (stamp + turn_detection_at(timeline, event.at).prefix_padding_ms) / 1000
        found.append(Detection(_item_id(event), event.at, start=start))
    for event in timeline.server_events("input_audio_buffer.speech_stopped"):
        index = _index(found, event, lambda d: d.stopped_at is None)
        stamp = _stamp((event.event or {}).get("audio_end_ms"))
        if index is None:
            continue
        end = None
        if zero is not None and stamp is not None:
            end = zero + (stamp - turn_detection_at(timeline, event.at).silence_duration_ms) / 1000
        found[index] = replace(found[index], stopped_at=event.at, end=end)
    for event in timeline.server_events("input_audio_buffer.committed"):
        index = _index(found, event, lambda d: d.committed_at is None)
        if index is not None:
            found[index] = replace(found[index], committed_at=event.at)
    return found


def replies(timeline: Timeline) -> list[Reply]:
    """Responses in order of their creation, with what was heard of each."""
    return timeline.derived(_replies)


def _replies(timeline: Timeline) -> list[Reply]:
    found: dict[str, Reply] = {}
    for event in timeline.server_events():
        data = event.event or {}
        if event.type == "response.created":
            rid = str(at_path(data, "response", "id") or f"#{len(found)}")
            found.setdefault(rid, Reply(rid, event.at))
            continue
        rid = str(data.get("response_id") or at_path(data, "response", "id") or "")
        if rid in found:
            found[rid] = _told(found[rid], event)
    for cut in timeline.all(PlayoutCleared):
        if cut.response_id in found:
            found[cut.response_id] = replace(found[cut.response_id], cleared_at=cut.at)
    packets = [p for p in timeline.packets() if p.dbfs is not None and p.dbfs >= AUDIBLE_DBFS]
    stretches = timeline.all(StretchHeard, where=lambda s: s.audible)
    ordered = sorted(found.values(), key=lambda r: r.created_at)
    ends = [*(r.created_at for r in ordered[1:]), float("inf")]
    # A call without a reply still has the last end.
    return [
        _heard_lightly(reply, stretches, end) if stretches else _heard(reply, packets, end)
        for reply, end in zip(ordered, ends, strict=False)
    ]


def _told(reply: Reply, event: ServerEvent) -> Reply:
    data = event.event or {}
    match event.type:
        case "output_audio_buffer.started":
            return replace(reply, playing_at=event.at, has_audio=True)
        case "output_audio_buffer.stopped":
            return replace(reply, stopped_at=event.at)
        case "output_audio_buffer.cleared":
            return replace(reply, cleared_at=event.at)
        case "response.output_audio_transcript.done":
            return replace(reply, transcript=str(data.get("transcript") or ""), has_audio=True)
        case "response.content_part.added" | "response.output_audio.done":
            audio = event.type != "response.content_part.added" or at_path(data, "part", "type") == "audio"
            return replace(reply, has_audio=reply.has_audio or audio)
        case "response.done":
            return _done(reply, event.at, data.get("response"))
        case _:
            return reply


def _done(reply: Reply, at: float, response: object) -> Reply:
    items = at_path(response, "output")
    output = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    parts = [p for item in output for p in item.get("content") or [] if isinstance(p, dict)]
    spoken = [p for p in parts if p.get("type") in ("audio", "output_audio")]
    error = at_path(response, "status_details", "error")
    usage = at_path(response, "usage")
    return replace(
        reply,
        done_at=at,
        status=str(at_path(response, "status") or ""),
        reason=str(at_path(response, "status_details", "reason") or ""),
        error=error if isinstance(error, dict) else {},
        transcript=reply.transcript or " ".join(str(p.get("transcript") or "") for p in spoken).strip(),
        has_audio=reply.has_audio or bool(spoken),
        has_output=bool(output),
        calls_function=any(item.get("type") == "function_call" for item in output),
        usage=usage if isinstance(usage, dict) else {},
    )


def _heard(reply: Reply, audible: Sequence[Packet], end: float) -> Reply:
    own = [p for p in audible if reply.created_at <= p.at < end]
    if not own:
        return reply
    media = unwrapped([p.timestamp for p in own], 32)
    seconds = (max(media) - min(media)) / CLOCK_RATE + PACKET_SECONDS
    return replace(reply, first_audible=own[0].at, last_audible=own[-1].at, audible_seconds=seconds)


def _heard_lightly(reply: Reply, audible: Sequence[StretchHeard], end: float) -> Reply:
    own = [s for s in audible if s.until >= reply.created_at and s.at < end]
    if not own:
        return reply
    first, last = max(own[0].at, reply.created_at), min(own[-1].until, end)
    ahead = sum(s.media_ms / 1000 - (s.until - s.at) for s in own)  # of real time, where it is not paced
    seconds = last - first + ahead + PACKET_SECONDS
    return replace(reply, first_audible=first, last_audible=last, audible_seconds=seconds)


def _nearest(detection: Detection, said: Sequence[Utterance]) -> int | None:
    """The utterance that the detection overlaps most, within the slack; None where it fits none."""
    start, end = detection.span
    overlaps = [min(end, u.end) - max(start, u.start) for u in said]
    best = max(range(len(said)), key=lambda i: overlaps[i], default=None)
    return best if best is not None and overlaps[best] > -PAIRING_SLACK else None


def _replies_to(
    own: Sequence[Detection], detected: Sequence[Detection], answered: Sequence[Reply]
) -> tuple[Reply, ...]:
    """Replies created after one of `own` ended and before any later detection did."""
    ends = sorted((_ended_at(d), d in own) for d in detected if _ended_at(d) is not None)
    found = []
    for reply in answered:
        before = [mine for ended, mine in ends if ended is not None and ended <= reply.created_at]
        if before and before[-1]:
            found.append(reply)
    return tuple(found)


def _ended_at(detection: Detection) -> float | None:
    return detection.stopped_at if detection.stopped_at is not None else detection.committed_at


def _index(
    found: Sequence[Detection], event: ServerEvent, lacking: Callable[[Detection], bool]
) -> int | None:
    """The detection that an event belongs to: by its item_id, else the last one before it that lacks it."""
    item_id = _item_id(event)
    if item_id and any(d.item_id for d in found):
        return next((i for i, d in enumerate(found) if d.item_id == item_id), None)
    earlier = [i for i, d in enumerate(found) if d.started_at <= event.at and lacking(d)]
    return earlier[-1] if earlier else None


def _item_id(event: ServerEvent) -> str:
    return str((event.event or {}).get("item_id") or "")


def _stamp(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
