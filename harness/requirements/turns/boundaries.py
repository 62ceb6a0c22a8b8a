"""Where speech is detected, against where it was spoken."""

from __future__ import annotations

from harness.core.events import PacingMeasured, TranscriptCompared, UtteranceStarted
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Turn, turns
from harness.requirements.conditions import limit_of
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.turns.detecting import SERVER_VAD, SPOKE, VAD_GUIDE, detected, said


def _not_compared(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(TranscriptCompared, side=None) is not None:
        return None
    return NotApplicable("no transcript was compared: none came, or the extra `quality` is not installed")


MASKING_DB = 15.0  # noise that is nearer to the speech hides its quiet sounds, such as a last s

COMPARED = Condition("a transcript was compared with what was said", _not_compared)


@requirement(
    "turns.first-words",
    "The caller's first words reach the upstream",
    stage=CallStage.DETECTION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, input_audio_buffer.speech_started; turn_detection.prefix_padding_ms",
        "audio_start_ms is where speech was first detected, and the audio that the model gets begins "
        "prefix_padding_ms before it: what was said earlier is lost.",
        VAD_GUIDE,
    ),
    needs=("turns.one-turn-per-utterance",),
    when=(SPOKE, COMPARED),
    timing=True,
    causes={
        "first-words-cut": Cause(
            "what the caller says first does not arrive",
            "look for what opens late between the microphone and the upstream: a noise gate, a voice "
            "detector of the relay's own that passes only what it took for speech (let it keep the 300 ms "
            "before), a track that is added or enabled when the user speaks already; then raise "
            "prefix_padding_ms",
        )
    },
)
def first_words(timeline: Timeline) -> Finding:
    """No utterance is detected late by more than `boundary_ms` and written down without its first words.

    Both together: a transcript alone may leave out a word that was heard, and a detector may notice late what
    its padding still holds.
    """
    allowed = _allowed_ms(timeline)
    for turn in turns(timeline):
        compared = _compared(timeline, turn)
        late = _start_off_ms(turn)
        if turn.utterance is None or compared is None or late is None:
            continue
        if compared.first_words_missing and late > allowed:
            seen = (
                f"speech began {late:.0f} ms into {compared.clip}, which is written down as "
                f"{excerpt(compared.heard)!r}, without the first {compared.first_words_missing} words"
            )
            return Violation("first-words-cut", seen, (said(turn.utterance), detected(turn.detections[0])))
    return None


@requirement(
    "turns.boundaries",
    "Speech is detected where it was spoken",
    stage=CallStage.DETECTION,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, input_audio_buffer.speech_started and speech_stopped",
        "audio_start_ms includes the prefix padding, audio_end_ms the silence: without them, they are the "
        "speech itself.",
        VAD_GUIDE,
    ),
    needs=("turns.first-words",),
    when=(SPOKE, SERVER_VAD),
    timing=True,
    causes={
        "start-off": Cause(
            "the start of speech was detected in the wrong place",
            "late: the beginning of words is lost, so raise prefix_padding_ms or lower threshold; early: "
            "noise or echo before the speech opens the turn",
        ),
        "end-off": Cause(
            "the end of speech was detected in the wrong place",
            "early: words are cut off, so lower threshold; late: noise or echo keeps the turn open and the "
            "reply waits, so raise threshold or use noise_reduction",
        ),
    },
)
def boundaries(timeline: Timeline) -> Finding:
    """Start and end by the server's stamps lie within `boundary_ms` of the fixture's truth.

    What we know of it is the deadlines of our packets: those that left late moved it, and are no fault of
    the target's. The truth is that of the recording alone: under noise that masks quiet sounds, it does not
    bind.
    """
    allowed = _allowed_ms(timeline)
    masked = {
        e.clip for e in timeline.all(UtteranceStarted) if e.noise_db is not None and e.noise_db < MASKING_DB
    }
    for turn in turns(timeline):
        if turn.utterance is None or not turn.detections or masked.intersection(turn.utterance.clips):
            continue
        first, last = turn.detections[0], turn.detections[-1]
        for cause, found, true in (
            ("start-off", first.start, turn.utterance.start),
            ("end-off", last.end, turn.utterance.end),
        ):
            off = (found - true) * 1000 if found is not None else 0.0
            if abs(off) > allowed:
                how = f"{abs(off):.0f} ms {'late' if off > 0 else 'early'}"
                seen = f"{how} in {turn.utterance.name}, {allowed:.0f} ms allowed"
                return Violation(cause, seen, (said(turn.utterance), *map(detected, turn.detections)))
    return None


# --- inside ---


def _allowed_ms(timeline: Timeline) -> float:
    """`boundary_ms`, and by as much more as our own packets left late."""
    late = max((m.max for m in timeline.all(PacingMeasured)), default=0.0)
    return limit_of(timeline, "boundary_ms") + late


def _start_off_ms(turn: Turn) -> float | None:
    """How much later than it was spoken an utterance was detected; None where that is not known."""
    if turn.utterance is None or not turn.detections or turn.detections[0].start is None:
        return None
    return 1000 * (turn.detections[0].start - turn.utterance.start)


def _compared(timeline: Timeline, turn: Turn) -> TranscriptCompared | None:
    """What was written down of the utterance: told when its detection was over."""
    if turn.utterance is None or not turn.detections:
        return None
    return timeline.first(
        TranscriptCompared,
        side=None,
        after=turn.detections[0].started_at,
        where=lambda e: turn.utterance is not None and e.clip == turn.utterance.clips[0],
    )
