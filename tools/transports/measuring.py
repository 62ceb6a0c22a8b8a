"""The figures of one call, from its timeline alone. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.audio import AUDIBLE_DBFS
from harness.core.audio_format import FRAME_SECONDS
from harness.core.events import (
    CallEnded,
    HarnessFailed,
    HttpRequest,
    HttpResponse,
    PacingMeasured,
    SendingStarted,
    Stalled,
)
from harness.core.fields import number, text
from harness.core.probes import UPGRADE
from harness.core.timeline import Timeline
from harness.core.turns import Turn, turns
from tools.transports.jitter_buffer import Frame, played

HEARD_GAP = 0.06  # seconds: about what concealment covers before it fades to silence
TO_ITS_END = "the scenario ran to its end"
PLANNED_TURNS = 2
TOKENS_A_SECOND = 10  # of sound that comes in (OpenAI's prices for gpt-realtime)
LATE_P99_MS, LATE_MOST_MS = 20.0, 100.0  # a frame, and less than any delay that is told from another
FAILED = 400  # status codes from here on
SETTLED = 10  # frames, within which a late clock is on time again


@dataclass(frozen=True)
class Gaps:
    """Inside what was heard of the replies. `heard_ms`: those that concealment does not cover."""

    missing_ms: float
    heard_ms: float
    longest_ms: float


def measured(timeline: Timeline) -> dict[str, Any]:
    """Milliseconds but for what says otherwise; None where it never came."""
    is_socket = timeline.first(HttpRequest, where=lambda e: e.purpose == UPGRADE) is not None
    packets = timeline.packets()
    frames = [Frame(p.at, p) for p in packets] if is_socket else played(packets)
    ended, said = timeline.first(CallEnded), [t for t in turns(timeline) if t.utterance is not None]
    spans = [t.utterance for t in said if t.utterance is not None]
    until = [*(s.start for s in spans[1:]), float("inf")]  # none where nothing could be said
    windows = [_audible(frames, span.end, end) for span, end in zip(spans, until, strict=False)]
    firsts = [w[0].at - span.end if w else None for w, span in zip(windows, spans, strict=True)]
    gaps = _gaps([_gaps_between(frames, w[0], w[-1], in_ticks=not is_socket) for w in windows if w])
    came_to_end = ended is not None and ended.reason == TO_ITS_END and timeline.first(HarnessFailed) is None
    answered = [first is not None for first in firsts]
    return {
        "setup_ms": _ms(_set_up(timeline)),
        "first_audio_ms": _ms(firsts[0] if firsts else None),
        "second_audio_ms": _ms(firsts[1] if len(firsts) > 1 else None),
        "missing_ms": gaps.missing_ms if windows and windows[0] else None,
        "gaps_heard_ms": gaps.heard_ms if windows and windows[0] else None,
        "longest_gap_ms": gaps.longest_ms if windows and windows[0] else None,
        "survived": came_to_end and len(answered) == PLANNED_TURNS and all(answered),
        "errors": bool(timeline.server_events("error")) or not 0 < _status(timeline) < FAILED,
        "whole_turns": sum(len(t.detections) == 1 for t in said),
        "heard_s": _heard_of(timeline, said[1]) if len(said) > 1 else None,
        "ended": ended.reason if ended is not None else "",
    }


def spoilt(timeline: Timeline) -> str:
    """Why this call says nothing of the network: our own machine was late. Empty where it was not."""
    for late in timeline.all(PacingMeasured, side=None):
        if late.p99 > LATE_P99_MS or late.max > LATE_MOST_MS:
            return f"the {late.side}'s sender was {late.p99:.0f} ms late (p99), {late.max:.0f} ms at most"
    stalls = timeline.all(Stalled, side=None)
    if stalls:
        worst = max(stalls, key=lambda s: s.seconds)
        return f"the {worst.side} stood still for {worst.seconds:.2f} s"
    failed = timeline.first(HarnessFailed, side=None)
    return f"the harness failed: {failed.error}" if failed is not None else ""


def lateness(timeline: Timeline) -> dict[str, float]:
    """How late our own senders were, p99 in ms, by side."""
    return {late.side: late.p99 for late in timeline.all(PacingMeasured, side=None)}


def _heard_of(timeline: Timeline, turn: Turn) -> float:
    """Seconds of a question that the upstream has, as it counts them for its bill: 10 tokens each."""
    items = {detection.item_id for detection in turn.detections}
    written = timeline.server_events("conversation.item.input_audio_transcription.completed")
    tokens = [
        number(event.event, "usage", "input_token_details", "audio_tokens") or 0
        for event in written
        if text(event.event, "item_id") in items
    ]
    return sum(tokens) / TOKENS_A_SECOND


def _status(timeline: Timeline) -> int:
    """Of the relay's answer; 0 for none."""
    response = timeline.first(HttpResponse)
    return response.status if response is not None else 0


def _set_up(timeline: Timeline) -> float | None:
    """From the first request until one may speak: sound goes out, and the session is known."""
    asked, sending = timeline.first(HttpRequest), timeline.first(SendingStarted)
    created = timeline.server_events("session.created")
    if asked is None or sending is None or not created:
        return None
    return max(sending.at, created[0].at) - asked.at


def _audible(frames: Sequence[Frame], since: float, until: float) -> list[Frame]:
    return [f for f in frames if since <= f.at < until and f.packet is not None and _sounds(f)]


def _sounds(frame: Frame) -> bool:
    level = frame.packet.dbfs if frame.packet is not None else None
    return level is not None and level >= AUDIBLE_DBFS


def _gaps_between(frames: Sequence[Frame], first: Frame, last: Frame, *, in_ticks: bool) -> list[float]:
    """The lengths in seconds of what is missing from the first audible frame to the last."""
    window = [f for f in frames if first.at <= f.at <= last.at]
    if not in_ticks:
        return _waits([f.at for f in window])
    found, run = [], 0
    for frame in window:
        if frame.packet is None:
            run += 1
        elif run:
            found.append(run * FRAME_SECONDS)
            run = 0
    return found


def _waits(played: Sequence[float]) -> list[float]:
    """Where a player had nothing, and so played nothing: from there on all is later by whole frames.

    A tick of its clock that is late is followed by others that are not, and is no gap.
    """
    late = [at - played[0] - n * FRAME_SECONDS for n, at in enumerate(played)]
    lasting = [min(late[n : n + SETTLED]) for n in range(len(late))]
    found, level = [], 0
    for each in lasting:
        frames = round(each / FRAME_SECONDS)
        if frames > level:
            found.append((frames - level) * FRAME_SECONDS)
            level = frames
    return found


def _gaps(of_replies: Sequence[Sequence[float]]) -> Gaps:
    found = [gap for gaps in of_replies for gap in gaps]
    return Gaps(
        round(1000 * sum(found)),
        round(1000 * sum(gap for gap in found if gap >= HEARD_GAP - 0.001)),
        round(1000 * max(found, default=0.0)),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
