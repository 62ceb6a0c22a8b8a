"""Where nobody speaks, there is no turn."""

from __future__ import annotations

from harness.core.events import SendingStarted, StepEnded, StepStarted
from harness.core.probes import MARKING
from harness.core.speech import Interval, common, muted_speech
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Detection, replies, turns
from harness.requirements.conditions import last_moment
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

VAD_GUIDE = "https://platform.openai.com/docs/guides/realtime-vad"
PLAYOUT_TAIL = 0.5  # seconds that a reply's echo may still be in the air

SENT = Condition(
    "audio was sent",
    lambda t: None if t.first(SendingStarted) else NotApplicable("no audio was sent"),
)
SPOKE_MUTED = Condition(
    "the caller speaks into a muted microphone",
    lambda t: None if muted_speech(t) else NotApplicable("nothing was said while muted"),
)


@requirement(
    "turns.no-turn-when-muted",
    "Muted speech makes no turn",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.SECRET,
    hits="every caller who mutes the microphone",
    severity=Severity.CRITICAL,
    source=Source(
        "W3C Media Capture and Streams, section 4.3",
        "A muted or disabled track delivers silence.",
        "https://www.w3.org/TR/mediacapture-streams/#track-muted",
    ),
    needs=("session.stays-alive",),
    when=(SPOKE_MUTED,),
    timing=True,
    causes={
        "turn-when-muted": Cause(
            "a turn began while the caller was muted",
            "mute the track that is sent (track.enabled = false on the sender's own track, not on a clone)",
        )
    },
)
def no_turn_when_muted(timeline: Timeline) -> Finding:
    """No detection overlaps what was said while muted."""
    muted = muted_speech(timeline)
    for detection in strays(timeline):
        if common([_bounded(timeline, detection)], muted):
            return Violation("turn-when-muted", _seen(detection), (_quote(detection),))
    return None


@requirement(
    "turns.no-turn-on-silence",
    "Silence makes no turn",
    stage=CallStage.DETECTION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, voice activity detection",
        "speech_started is sent when speech has been detected: silence and noise below the threshold are "
        "none.",
        VAD_GUIDE,
    ),
    needs=("session.stays-alive",),
    when=(SENT,),
    timing=True,
    causes={
        "turn-on-silence": Cause(
            "a turn began though nobody spoke",
            "raise turn_detection.threshold or set noise_reduction; check that this call's audio goes to "
            "this call's session only",
        )
    },
)
def no_turn_on_silence(timeline: Timeline) -> Finding:
    """Every detection belongs to something said, muted speech, the reply's playing and our own mark aside."""
    muted = muted_speech(timeline)
    playing = [*playing_times(timeline), *marking_times(timeline)]
    for detection in strays(timeline):
        if not common([_bounded(timeline, detection)], muted) and not _within(detection.started_at, playing):
            return Violation("turn-on-silence", _seen(detection), (_quote(detection),))
    return None


# --- inside ---


def strays(timeline: Timeline) -> list[Detection]:
    """Detections of what nobody audibly said."""
    return [d for turn in turns(timeline) if turn.utterance is None for d in turn.detections]


def playing_times(timeline: Timeline) -> list[Interval]:
    """When replies were playing, by the server's events or by what was heard."""
    found = []
    for reply in replies(timeline):
        begins = [t for t in (reply.playing_at, reply.first_audible) if t is not None]
        ends = [t for t in (reply.ended_playing, reply.last_audible) if t is not None]
        if begins:
            found.append((min(begins), max(ends, default=last_moment(timeline)) + PLAYOUT_TAIL))
    return found


def marking_times(timeline: Timeline) -> list[Interval]:
    """When the caller said its tone, by which a gateway's upstream call is known: a detector may hear it."""
    ends = timeline.all(StepEnded, where=lambda e: e.step == MARKING)
    begins = timeline.all(StepStarted, where=lambda e: e.step == MARKING)
    return [(begin.at, end.at + PLAYOUT_TAIL) for begin, end in zip(begins, ends, strict=False)]


def _within(at: float, intervals: list[Interval]) -> bool:
    return any(start <= at <= end for start, end in intervals)


def _bounded(timeline: Timeline, detection: Detection) -> Interval:
    start, end = detection.span
    return start, min(end, last_moment(timeline))


def _seen(detection: Detection) -> str:
    return f"speech_started at {detection.started_at:.2f} s"


def _quote(detection: Detection) -> Evidence:
    return Evidence(
        detection.started_at, f"input_audio_buffer.speech_started, item {detection.item_id or '?'}"
    )
