"""What the caller says is detected: as speech, from its start to its end, as one turn."""

from __future__ import annotations

from harness.core.events import ReceiverReport
from harness.core.session import turn_detection_at
from harness.core.speech import Utterance, utterances
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import PAIRING_SLACK, Detection, detections, turns
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.session.configuring import manual_turns, watched_until

VAD_GUIDE = "https://platform.openai.com/docs/guides/realtime-vad"
SETTLE = 1.5  # seconds that a detector and its event may take beyond the silence it waits for


def _silent(timeline: Timeline) -> NotApplicable | None:
    if not utterances(timeline):
        return NotApplicable("the caller said nothing")
    return NotApplicable("the caller ends its turns itself") if manual_turns(timeline) else None


def _not_server_vad(timeline: Timeline) -> NotApplicable | None:
    kinds = {turn_detection_at(timeline, u.start).kind for u in utterances(timeline)}
    if "semantic_vad" in kinds:
        return NotApplicable(
            "semantic_vad ends turns by their meaning, which has no true moment to compare with"
        )
    return None


SPOKE = Condition("the caller speaks, and leaves the turns to the server", _silent)
SERVER_VAD = Condition("turns are detected by server_vad", _not_server_vad)


@requirement(
    "turns.speech-detected",
    "Speech is detected",
    stage=CallStage.DETECTION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI API reference, input_audio_buffer.speech_started",
        "Sent in server_vad mode when speech has been detected in the audio buffer.",
        VAD_GUIDE,
    ),
    needs=(
        "session.vad-configured",
        "session.stays-alive",
        "page.microphone-sent",
        "websocket.takes-audio",
    ),
    when=(SPOKE,),
    timing=True,
    causes={
        "vad-disabled": Cause(
            "turn detection was switched off in mid-call, so speech is heard and never answered",
            "find the session.update (of the page, or of a sideband client) that clears "
            "audio.input.turn_detection",
        ),
        "vad-deaf": Cause(
            "the caller spoke, and no speech was detected",
            "check that packets arrive upstream (a muted or disabled track sends silence, a suspended "
            "AudioContext too), that the offer's audio is sendrecv, and that turn_detection.threshold is not "
            "above what the microphone delivers",
        ),
    },
)
def speech_detected(timeline: Timeline) -> Finding:
    """Each utterance overlaps a span from speech_started to speech_stopped."""
    found = detections(timeline)
    until = watched_until(timeline)
    for utterance in utterances(timeline):
        if _covering(utterance, found):
            continue
        if until - utterance.end < SETTLE:
            return Inconclusive(
                f"the call ended {until - utterance.end:.1f} s after the end of {utterance.name}"
            )
        evidence = (said(utterance), *_what_arrived(timeline))
        vad = turn_detection_at(timeline, utterance.end)
        if vad.kind == "off":
            return Violation("vad-disabled", "audio.input.turn_detection is null by now", evidence)
        heard = f"{len(found)} other spans were" if found else "nothing was"
        return Violation("vad-deaf", f"{_spoken(utterance)}; {heard} detected in the call", evidence)
    return None


@requirement(
    "turns.speech-ends",
    "The end of speech is detected",
    stage=CallStage.DETECTION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, input_audio_buffer.speech_stopped",
        "Returned in server_vad mode when the end of speech is detected: after silence_duration_ms of "
        "silence.",
        VAD_GUIDE,
    ),
    needs=("turns.speech-detected",),
    when=(SPOKE,),
    timing=True,
    causes={
        "vad-never-ends": Cause(
            "speech is detected and never ends, so no reply begins",
            "keep sending while the user is silent: a track that stops its packets gives the detector "
            "nothing to call silence; if noise keeps it open, raise turn_detection.threshold or use "
            "noise_reduction",
        )
    },
)
def speech_ends(timeline: Timeline) -> Finding:
    """Each detected utterance has its speech_stopped."""
    until = watched_until(timeline)
    for turn in turns(timeline):
        still_open = [d for d in turn.detections if d.stopped_at is None]
        if turn.utterance is None or not still_open:
            continue
        silence = turn_detection_at(timeline, turn.utterance.end).silence_duration_ms / 1000
        waited = until - turn.utterance.end
        if waited < silence + SETTLE:
            return Inconclusive(f"the call ended {waited:.1f} s after the end of {turn.utterance.name}")
        return Violation(
            "vad-never-ends",
            f"{waited:.1f} s of silence after {turn.utterance.name}, where {silence:g} s should do",
            (said(turn.utterance), detected(still_open[0])),
        )
    return None


@requirement(
    "turns.one-turn-per-utterance",
    "One utterance makes one turn",
    stage=CallStage.DETECTION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, voice activity detection",
        "Speech is one turn until a silence of silence_duration_ms; shorter pauses do not end it.",
        VAD_GUIDE,
    ),
    needs=("turns.speech-ends",),
    when=(SPOKE, SERVER_VAD),
    timing=True,
    causes={
        "utterance-split": Cause(
            "one utterance was taken for several turns, so the reply cuts in",
            "raise silence_duration_ms (500 to 700 ms suits most), and look for loss or gaps on the way to "
            "the upstream that sound like pauses",
        ),
        "utterances-merged": Cause(
            "several utterances were taken for one turn",
            "lower silence_duration_ms, or raise threshold where noise fills the pause",
        ),
    },
)
def one_turn_per_utterance(timeline: Timeline) -> Finding:
    """No utterance has more detections than its pauses allow, and none shares one."""
    found = detections(timeline)
    for turn in turns(timeline):
        if turn.utterance is None:
            continue
        if len(turn.detections) > turn.utterance.most:
            seen = f"{len(turn.detections)} turns of {turn.utterance.name}, {_spoken(turn.utterance)}"
            evidence = (said(turn.utterance), *map(detected, turn.detections), *_what_arrived(timeline))
            return Violation("utterance-split", seen, evidence)
        if not turn.detections:
            shared = _covering(turn.utterance, found)
            if shared:
                seen = f"{turn.utterance.name} is in the same turn as what was said before it"
                return Violation("utterances-merged", seen, (said(turn.utterance), detected(shared[0])))
    return None


# --- inside ---


def _covering(utterance: Utterance, found: list[Detection]) -> list[Detection]:
    spans = [(d, *d.span) for d in found]
    return [
        d for d, a, b in spans if a < utterance.end + PAIRING_SLACK and b > utterance.start - PAIRING_SLACK
    ]


def _spoken(utterance: Utterance) -> str:
    return f"spoken from {utterance.start:.2f} to {utterance.end:.2f} s"


def said(utterance: Utterance) -> Evidence:
    """What the caller said, and when."""
    return Evidence(utterance.start, f"{utterance.name}, {_spoken(utterance)}")


def detected(detection: Detection) -> Evidence:
    """What the server detected, and when."""
    start, end = detection.span
    stopped = "no speech_stopped" if detection.stopped_at is None else f"to {end:.2f} s"
    return Evidence(detection.started_at, f"speech detected from {start:.2f} s, {stopped}")


def _what_arrived(timeline: Timeline) -> tuple[Evidence, ...]:
    report = timeline.last(ReceiverReport)
    if report is None:
        return ()
    return (Evidence(report.at, f"the upstream reports {report.lost} of our packets lost"),)
