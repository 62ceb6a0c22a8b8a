"""When the caller waited to be answered, and what was audible then: told from the steps of its plan.

A plan's steps are named by what the caller does: `say CLIP`, then `hear the reply`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.audio import AUDIBLE_DBFS
from harness.core.audio_format import FRAME_SECONDS
from harness.core.events import MicrophoneChanged, StepEnded, StepStarted, StretchHeard
from harness.core.speech import Utterance, utterances
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies

SAY = "say "
SHORTEST_SOUND = 0.1  # seconds: a click is not heard as anything
# What a plan calls its waiting for an answer; a scenario of a user's own may wait for an event of one.
LISTENING = ("hear the reply", "wait for response.", "wait for output_audio_buffer.")


@dataclass(frozen=True)
class Wait:
    """What was said, and the time in which an answer was awaited: up to what was said next, or the end."""

    said: Utterance
    since: float
    until: float


def waits(timeline: Timeline, end: float, patience: float) -> list[Wait]:
    """Each time that the caller had spoken and then waited to be answered, in order.

    By a step of its plan, or for `patience` seconds in which it said nothing more before the call's `end`.
    """
    said = utterances(timeline)
    ends = [*(u.start for u in said[1:]), end]
    listening = timeline.all(StepStarted, where=lambda s: s.step.startswith(LISTENING))
    found = []
    for each, until in zip(said, ends[: len(said)], strict=True):
        asked = any(each.start <= step.at < until for step in listening)
        if asked or until - each.end >= patience:
            found.append(Wait(each, each.end, until))
    return found


def unspoken(timeline: Timeline) -> StepEnded | None:
    """The step in which the caller came to speak, into an open microphone, and could not."""
    muted = [e.at for e in timeline.all(MicrophoneChanged) if e.muted]
    return timeline.first(
        StepEnded,
        where=lambda e: e.step.startswith(SAY) and bool(e.failed) and not any(at <= e.at for at in muted),
    )


@dataclass(frozen=True)
class Heard:
    """What came of audio in a time. `loudest` is in dBFS, None where nothing was decoded."""

    packets: int = 0
    audible: bool = False  # for at least SHORTEST_SOUND
    loudest: float | None = None
    unknown: bool = False  # packets came, and none of them was decoded


def heard(timeline: Timeline, since: float, until: float) -> Heard:
    """The audio that arrived from `since` up to `until`."""
    stretches = timeline.all(StretchHeard, where=lambda s: s.until >= since, before=until)
    if stretches:
        sound = sum(s.media_ms for s in stretches if s.audible) / 1000
        return Heard(sum(s.packets for s in stretches), sound >= SHORTEST_SOUND)
    packets = [p for p in timeline.packets() if since <= p.at < until]
    levels = [p.dbfs for p in packets if p.dbfs is not None]
    loudest = max(levels, default=None)
    return Heard(
        len(packets),
        sum(level >= AUDIBLE_DBFS for level in levels) * FRAME_SECONDS >= SHORTEST_SOUND,
        loudest,
        unknown=bool(packets) and not levels,
    )


def answers_in(timeline: Timeline, wait: Wait) -> list[Reply]:
    """Responses created while an answer was awaited; speech that was split may be answered early."""
    return [r for r in replies(timeline) if wait.said.start <= r.created_at < wait.until]
