"""The caller can interrupt, and only the caller."""

from __future__ import annotations

from harness.core.events import UtteranceStarted
from harness.core.session import turn_detection_at
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply, Turn, replies, turns
from harness.requirements.conditions import limit_of
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
from harness.requirements.turns.silence import PLAYOUT_TAIL, strays

# A reply that would have ended this soon anyway proves nothing about an interruption.
WORTH_INTERRUPTING = 0.5
NOTICED_IN = 1.0  # seconds from a sound to speech_started, at most


def _nothing_to_interrupt(timeline: Timeline) -> NotApplicable | None:
    if any(_began(reply) is not None for reply in replies(timeline)):
        return None
    return NotApplicable("no reply was playing")


@requirement(
    "turns.interruption",
    "The caller interrupts a reply by speaking, and nothing else does",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, interruption and truncation",
        "Over WebRTC the server holds the output buffer: when speech starts it cancels the response, "
        "clears the buffer and truncates the item to what was played.",
        "https://platform.openai.com/docs/guides/realtime-conversations#interruption-and-truncation",
    ),
    needs=("turns.response-completes", "turns.one-turn-per-utterance"),
    when=(Condition("a reply plays", _nothing_to_interrupt),),
    timing=True,
    causes={
        "self-interruption": Cause(
            "the reply was taken for the caller's speech and interrupted itself",
            "turn on echoCancellation in getUserMedia, and do not feed the remote audio back into what is "
            "sent",
        ),
        "noise-interruption": Cause(
            "a sound of the caller's that is no speech stopped the reply",
            "raise turn_detection.threshold, set input noise_reduction (near_field for a headset, far_field "
            "for a room), or use semantic_vad; a page may also stop playing only once words are transcribed",
        ),
        "backchannel-interruption": Cause(
            "a hum of the caller's stopped the reply, in a session in which speech does not interrupt",
            "find who cuts it off at speech_started (the page or a sideband that sends response.cancel or "
            "output_audio_buffer.clear), and let it wait for words: cancel once a transcript is there that "
            "is more than an mm-hmm",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
        "barge-in-ignored": Cause(
            "the caller spoke over the reply, and it went on",
            "leave turn_detection.interrupt_response at true; where events are handled by hand, send "
            "response.cancel and output_audio_buffer.clear",
        ),
    },
)
def interruption(timeline: Timeline) -> Finding:
    """After speech over a reply, silence within `barge_in_ms`; no detection while only the reply speaks.

    A hum may be taken for speech, and interrupt where speech does (`interrupt_response`): with semantic_vad
    too, for that interrupts when a voice begins. Where it does not, a hum stops nothing.
    """
    answered = replies(timeline)
    hums = timeline.all(UtteranceStarted, where=lambda e: e.backchannel and not e.muted)
    for hum in hums:
        if (stopped := _stopped_by(timeline, hum, answered)) is not None:
            return stopped
    for stray in strays(timeline):
        if any(_sounds_at(hum, stray.started_at) for hum in hums):
            continue
        reply = next((r for r in answered if _plays_at(r, stray.started_at)), None)
        if reply is not None:
            became = f"response {reply.id} {reply.status or 'went on'} {reply.reason}".rstrip()
            evidence = (_playing(reply), Evidence(stray.started_at, "speech_started"))
            if noise := _noise_at(timeline, stray.started_at):
                seen = f"speech_started at {stray.started_at:.2f} s, while {noise} sounded; {became}"
                return Violation("noise-interruption", seen, evidence)
            seen = f"speech_started at {stray.started_at:.2f} s while only the reply spoke; {became}"
            return Violation("self-interruption", seen, evidence)
    allowed = limit_of(timeline, "barge_in_ms") / 1000
    for turn in turns(timeline):
        if turn.utterance is None or not turn_detection_at(timeline, turn.utterance.start).interrupt_response:
            continue
        violation = _ignored(turn, answered, allowed)
        if violation is not None:
            return violation
    return None


def _noise_at(timeline: Timeline, at: float) -> str:
    """The clip without any speech (keys, noise, a tone) that the caller sent then, or just before."""
    for clip in timeline.all(UtteranceStarted):
        if not clip.speech and not clip.muted and _sounds_at(clip, at):
            return clip.clip
    return ""


def _sounds_at(clip: UtteranceStarted, at: float) -> bool:
    return clip.at <= at <= clip.at + clip.duration_ms / 1000 + NOTICED_IN


def _stopped_by(timeline: Timeline, hum: UtteranceStarted, answered: list[Reply]) -> Violation | None:
    vad = turn_detection_at(timeline, hum.at)
    if vad.interrupt_response and vad.kind != "off":
        return None
    for reply in answered:
        cut = reply.cleared_at if reply.status != "cancelled" else (reply.cleared_at or reply.done_at)
        if cut is None or not _sounds_at(hum, cut) or not _plays_at(reply, hum.at):
            continue
        seen = f"{reply.status or 'playing'}, it was cut off {1000 * (cut - hum.at):.0f} ms into {hum.clip}"
        evidence = (
            _playing(reply),
            Evidence(hum.at, f"{hum.clip}: {hum.transcript}"),
            Evidence(cut, f"response {reply.id} is cleared or cancelled {reply.reason}".rstrip()),
        )
        return Violation("backchannel-interruption", seen, evidence)
    return None


def _ignored(turn: Turn, answered: list[Reply], allowed: float) -> Violation | None:
    if turn.utterance is None or not turn.detections:
        return None
    noticed = turn.detections[0].started_at
    for reply in answered:
        if reply.last_audible is None or not _plays_at(reply, turn.utterance.start):
            continue
        over = reply.last_audible - noticed
        if over <= max(allowed, WORTH_INTERRUPTING):
            continue
        seen = f"audible {over * 1000:.0f} ms after speech_started, {allowed * 1000:g} ms allowed"
        evidence = (
            _playing(reply),
            Evidence(turn.utterance.start, f"{turn.utterance.name} begins"),
            Evidence(noticed, "input_audio_buffer.speech_started"),
            Evidence(reply.last_audible, "the reply's last audible packet"),
        )
        return Violation("barge-in-ignored", seen, evidence)
    return None


def _began(reply: Reply) -> float | None:
    begins = [t for t in (reply.playing_at, reply.first_audible) if t is not None]
    return min(begins) if begins else None


def _plays_at(reply: Reply, at: float) -> bool:
    began = _began(reply)
    ends = [t for t in (reply.ended_playing, reply.last_audible) if t is not None]
    return began is not None and began <= at <= max(ends, default=float("inf")) + PLAYOUT_TAIL


def _playing(reply: Reply) -> Evidence:
    return Evidence(_began(reply), f"response {reply.id} plays")
