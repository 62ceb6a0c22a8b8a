"""What the upstream wrote down of the caller's words."""

from __future__ import annotations

from harness.core.events import TranscriptCompared
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import optional_limit_of
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Level,
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
