"""What the upstream wrote down of the caller's words."""

from __future__ import annotations

from harness.core.events import TranscriptCompared
from harness.core.fields import table, text
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import optional_limit_of
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Observation,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.turns.boundaries import COMPARED


@requirement(
    "turns.transcribed",
    "The caller's words are written down as they were said",
    stage=CallStage.DETECTION,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source(
        "OpenAI API reference, conversation.item.input_audio_transcription.completed; NIST, word error rate",
        "The transcript is another model's, made beside the conversation: rough guidance of what was said. "
        "Word error rate: words put in, left out and replaced, over the words that were said.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events",
    ),
    needs=("turns.one-turn-per-utterance",),
    when=(COMPARED,),
    causes={
        "misheard": Cause(
            "the caller's words are written down as others",
            "set input.transcription.language to the caller's, take a better transcription model, and listen "
            "to what arrives upstream: a wrong sample rate or a gateway that transcodes garbles words",
        )
    },
)
def transcribed(timeline: Timeline) -> Finding:
    """Word error rate in per cent, by recording; a violation where `wer_percent` is passed."""
    compared = timeline.all(TranscriptCompared, side=None)
    rates = [round(100 * each.word_error_rate, 1) for each in compared]
    evidence = tuple(
        Evidence(each.at, f"{each.clip} ({each.language or 'unknown'}): {rate:g} %, {excerpt(each.heard)}")
        for each, rate in zip(compared, rates, strict=True)
    )
    allowed = optional_limit_of(timeline, "wer_percent")
    worst = max(rates)
    if allowed is not None and worst > allowed:
        return Violation("misheard", f"{worst:g} % of the words, {allowed:g} % allowed", evidence)
    return Observation("%", tuple(rates), evidence)


TRANSCRIPTION = "conversation.item.input_audio_transcription"
UNINTELLIGIBLE = "audio_unintelligible"  # a caller may be hard to understand


def _none_asked(timeline: Timeline) -> NotApplicable | None:
    if timeline.server_events(f"{TRANSCRIPTION}.completed", f"{TRANSCRIPTION}.failed"):
        return None
    return NotApplicable("nothing that the caller said was written down, nor failed to be")


@requirement(
    "turns.transcription-succeeds",
    "What the session asks to be written down is",
    stage=CallStage.DETECTION,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    sees=("events",),
    source=Source(
        "OpenAI API reference, conversation.item.input_audio_transcription.failed",
        "Returned when input audio transcription is configured, and a transcription request for a user "
        "message failed. It is told apart from other errors, so that the client can identify the item.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events",
    ),
    needs=("turns.speech-detected",),
    when=(Condition("the caller's words are written down", _none_asked),),
    causes={
        "transcription-failed": Cause(
            "OpenAI could not write down what the caller said",
            "read code and message: the model of input.transcription is another than the session's, with an "
            "access and limits of its own; let the page show its captions without what failed",
        )
    },
)
def transcription_succeeds(timeline: Timeline) -> Finding:
    """No transcription fails, but of what nobody could understand."""
    failed = [
        event
        for event in timeline.server_events(f"{TRANSCRIPTION}.failed")
        if text(event.event, "error", "code") != UNINTELLIGIBLE
    ]
    if not failed:
        return None
    error = table(failed[0].event, "error")
    words = f"{excerpt(text(error, 'code') or text(error, 'type'), 60)}: {excerpt(text(error, 'message'))}"
    often = f" ({len(failed)} times)" if len(failed) > 1 else ""
    quotes = tuple(Evidence(e.at, f"{e.type} {excerpt(text(e.event, 'item_id'), 60)}") for e in failed[:3])
    return Violation("transcription-failed", f"{words}{often}", quotes)
