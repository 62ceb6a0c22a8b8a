"""Turns: what was said, what the server detected of it, and what it replied, paired in timeline time.

The server's `audio_start_ms` and `audio_end_ms` count from the first audio it received, and include the
prefix padding and the silence that the session asks for (Realtime API reference,
input_audio_buffer.speech_started and speech_stopped). Here they are converted to moments of the timeline at
which speech truly began and ended.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.audio import AUDIBLE_DBFS
from harness.core.audio_format import FRAME_SECONDS, RATE
from harness.core.events import (
    CallStarted,
    HearingStarted,
    Packet,
    PlayoutCleared,
    SendingStarted,
    ServerEvent,
    StretchHeard,
)
from harness.core.fields import number, table, tables, text
from harness.core.reception import unwrapped
from harness.core.session import turn_detection_at
from harness.core.speech import Utterance, utterances
from harness.core.timeline import Timeline

PAIRING_SLACK = 0.3  # a detection this far beside an utterance is still its own
OVERLAPPING = 32  # stretches of so many streams may go on at a time


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
    # A detection's turn: the utterance that it fits, or one of its own behind them.
    owner, strays = [], 0
    for detection in detected:
        nearest = _nearest(detection, said)
        owner.append(len(said) + strays if nearest is None else nearest)
        strays += nearest is None
    heard: list[list[Detection]] = [[] for _ in range(len(said) + strays)]
    for detection, index in zip(detected, owner, strict=True):
        heard[index].append(detection)
    led_to = _led_to(detected, owner, answered, len(heard))
    return [
        Turn(said[index] if index < len(said) else None, tuple(own), tuple(led_to[index]))
        for index, own in enumerate(heard)
    ]


def audio_zero(timeline: Timeline) -> float | None:
    """Zero of the server's audio clock: our first packet of audio, or earlier where that is seen.

    A gateway may have counted silence of its own before; no stamp is later than the event that brings it.
    Where the other end is seen, it says which of our packets it took first: those before may be lost while it
    shakes hands. Behind a gateway, which begins when it pleases, the first audio that reached the upstream.
    """
    if timeline.events_side == "upstream":
        appended = timeline.client_events("input_audio_buffer.append", side="upstream")
        return appended[0].at if appended else None
    sending, started = timeline.first(SendingStarted), timeline.first(CallStarted)
    if sending is None or started is None or started.mode != "black-box":
        return sending.at + _unheard_seconds(timeline, sending) if sending else None
    stopped = timeline.server_events("input_audio_buffer.speech_stopped")
    stamps = [(event.at, number(event.event, "audio_end_ms")) for event in stopped]
    return min([sending.at, *(at - stamp / 1000 for at, stamp in stamps if stamp is not None)])


def _unheard_seconds(timeline: Timeline, sending: SendingStarted) -> float:
    """How much of the beginning of our stream never reached the upstream; 0 where nobody says."""
    heard = timeline.first(HearingStarted, side="upstream", where=lambda e: e.ssrc == sending.ssrc)
    if heard is None or sending.timestamp is None:
        return 0.0
    begun, taken = unwrapped([sending.timestamp, heard.timestamp], 32)
    return max(0, taken - begun) / RATE


def detections(timeline: Timeline) -> list[Detection]:
    """Spans of detected speech, in order. Events are matched by item_id, else by their order."""
    return timeline.derived(_detections)


def _detections(timeline: Timeline) -> list[Detection]:
    zero = audio_zero(timeline)
    found: list[Detection] = []
    for event in timeline.server_events("input_audio_buffer.speech_started"):
        stamp = number(event.event, "audio_start_ms")
        start = None
        if zero is not None and stamp is not None and stamp > 0:
            start = zero + (stamp + turn_detection_at(timeline, event.at).prefix_padding_ms) / 1000
        found.append(Detection(_item_id(event), event.at, start=start))
    unstopped = _Unmatched(found)
    for event in timeline.server_events("input_audio_buffer.speech_stopped"):
        index = unstopped.take(event)
        stamp = number(event.event, "audio_end_ms")
        if index is None:
            continue
        end = None
        if zero is not None and stamp is not None:
            end = zero + (stamp - turn_detection_at(timeline, event.at).silence_duration_ms) / 1000
        found[index] = replace(found[index], stopped_at=event.at, end=end)
    uncommitted = _Unmatched(found)
    for event in timeline.server_events("input_audio_buffer.committed"):
        index = uncommitted.take(event)
        if index is not None:
            found[index] = replace(found[index], committed_at=event.at)
    return found


def replies(timeline: Timeline) -> list[Reply]:
    """Responses in order of their creation, with what was heard of each."""
    return timeline.derived(_replies)


def _replies(timeline: Timeline) -> list[Reply]:
    found: dict[str, Reply] = {}
    for event in timeline.server_events():
        if event.type == "response.created":
            rid = text(event.event, "response", "id") or f"#{len(found)}"
            found.setdefault(rid, Reply(rid, event.at))
            continue
        rid = response_id(event)
        if rid in found:
            found[rid] = _told(found[rid], event)
    for cut in timeline.all(PlayoutCleared):
        if cut.response_id in found:
            found[cut.response_id] = replace(found[cut.response_id], cleared_at=cut.at)
    packets = [p for p in timeline.packets() if p.dbfs is not None and p.dbfs >= AUDIBLE_DBFS]
    stretches = timeline.all(StretchHeard, where=lambda s: s.audible)
    starts = [heard.at for heard in (stretches or packets)]
    ordered = sorted(found.values(), key=lambda r: r.created_at)
    ends = [*(r.created_at for r in ordered[1:]), float("inf")]
    # A call without a reply still has the last end.
    heard = []
    for reply, end in zip(ordered, ends, strict=False):
        first, last = bisect.bisect_left(starts, reply.created_at), bisect.bisect_left(starts, end)
        if stretches:  # those before may reach into this reply
            heard.append(_heard_lightly(reply, stretches[max(0, first - OVERLAPPING) : last], end))
        else:
            heard.append(_heard(reply, packets[first:last]))
    return heard


def _told(reply: Reply, event: ServerEvent) -> Reply:
    match event.type:
        case "output_audio_buffer.started":
            return replace(reply, playing_at=event.at, has_audio=True)
        case "output_audio_buffer.stopped":
            return replace(reply, stopped_at=event.at)
        case "output_audio_buffer.cleared":
            return replace(reply, cleared_at=event.at)
        case "response.output_audio_transcript.done":
            return replace(reply, transcript=text(event.event, "transcript"), has_audio=True)
        case "response.content_part.added" | "response.output_audio.done":
            is_part = event.type == "response.content_part.added"
            audio = not is_part or text(event.event, "part", "type") == "audio"
            return replace(reply, has_audio=reply.has_audio or audio)
        case "response.done":
            return _done(reply, event.at, table(event.event, "response"))
        case _:
            return reply


def _done(reply: Reply, at: float, response: dict[str, Any]) -> Reply:
    output = tables(response, "output")
    parts = [part for item in output for part in tables(item, "content")]
    spoken = [part for part in parts if text(part, "type") in ("audio", "output_audio")]
    return replace(
        reply,
        done_at=at,
        status=text(response, "status"),
        reason=text(response, "status_details", "reason"),
        error=table(response, "status_details", "error"),
        transcript=reply.transcript or " ".join(text(part, "transcript") for part in spoken).strip(),
        has_audio=reply.has_audio or bool(spoken),
        has_output=bool(output),
        calls_function=any(text(item, "type") == "function_call" for item in output),
        usage=table(response, "usage"),
    )


def _heard(reply: Reply, own: Sequence[Packet]) -> Reply:
    if not own:
        return reply
    media = unwrapped([p.timestamp for p in own], 32)
    seconds = (max(media) - min(media)) / RATE + FRAME_SECONDS
    return replace(reply, first_audible=own[0].at, last_audible=own[-1].at, audible_seconds=seconds)


def _heard_lightly(reply: Reply, audible: Sequence[StretchHeard], end: float) -> Reply:
    own = [s for s in audible if s.until >= reply.created_at and s.at < end]
    if not own:
        return reply
    first, last = max(own[0].at, reply.created_at), min(own[-1].until, end)
    ahead = sum(s.media_ms / 1000 - (s.until - s.at) for s in own)  # of real time, where it is not paced
    seconds = last - first + ahead + FRAME_SECONDS
    return replace(reply, first_audible=first, last_audible=last, audible_seconds=seconds)


def _nearest(detection: Detection, said: Sequence[Utterance]) -> int | None:
    """The utterance that the detection overlaps most, within the slack; None where it fits none."""
    start, end = detection.span
    overlaps = [min(end, u.end) - max(start, u.start) for u in said]
    best = max(range(len(said)), key=lambda i: overlaps[i], default=None)
    return best if best is not None and overlaps[best] > -PAIRING_SLACK else None


def _led_to(
    detected: Sequence[Detection], owner: Sequence[int], answered: Sequence[Reply], turns_found: int
) -> list[list[Reply]]:
    """For each turn the replies created after its last detection ended and before any later one did."""
    ended = [(_ended_at(d), n) for d, n in zip(detected, owner, strict=True)]
    ends = sorted((at, n) for at, n in ended if at is not None)
    found: list[list[Reply]] = [[] for _ in range(turns_found)]
    for reply in answered:
        before = bisect.bisect_right(ends, reply.created_at, key=lambda end: end[0])
        if before:
            found[ends[before - 1][1]].append(reply)
    return found


def _ended_at(detection: Detection) -> float | None:
    return detection.stopped_at if detection.stopped_at is not None else detection.committed_at


class _Unmatched:
    """Detections that wait for the event that ends them, each found without a look at all others.

    By its item_id; where no event has one, the last that began before it.
    """

    def __init__(self, found: Sequence[Detection]) -> None:
        self._by_item: dict[str, int] = {}
        for index, detection in enumerate(found):
            self._by_item.setdefault(detection.item_id, index)
        self._are_named = any(d.item_id for d in found)
        self._begun = [d.started_at for d in found]
        self._open: list[int] = []  # begun before the last event, and waiting: the latest last
        self._next = 0
        self._taken: set[int | None] = set()

    def take(self, event: ServerEvent) -> int | None:
        """The index of the detection that the event belongs to. Events come in order of time."""
        item_id = _item_id(event)
        if item_id and self._are_named:
            named = self._by_item.get(item_id)
            self._taken.add(named)
            return named
        while self._next < len(self._begun) and self._begun[self._next] <= event.at:
            self._open.append(self._next)
            self._next += 1
        while self._open:
            if (index := self._open.pop()) not in self._taken:
                return index
        return None


def response_id(event: ServerEvent) -> str:
    """Which response an event is about; empty for none."""
    return text(event.event, "response_id") or text(event.event, "response", "id")


def _item_id(event: ServerEvent) -> str:
    return text(event.event, "item_id")
