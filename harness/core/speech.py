"""What the caller truly said, in timeline time: the intervals of speech, and how many turns they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.events import CallEnded, MicrophoneChanged, UtteranceEnded, UtteranceStarted
from harness.core.session import turn_detection_at
from harness.core.timeline import Timeline

Interval = tuple[float, float]

# A detector's end of speech lies up to about 110 ms behind the true one, its start up to 40 ms: a pause
# this much longer than silence_duration_ms must split speech in two turns, one this much shorter must not.
PAUSE_SURELY_SPLITS = 0.25
PAUSE_MAY_SPLIT = 0.1


@dataclass(frozen=True)
class Utterance:
    """Speech that should become one turn, or up to `most` turns where a pause is of doubtful length."""

    clips: tuple[str, ...]
    parts: tuple[Interval, ...]
    most: int = 1

    @property
    def start(self) -> float:
        return self.parts[0][0]

    @property
    def end(self) -> float:
        return self.parts[-1][1]

    @property
    def name(self) -> str:
        return " + ".join(dict.fromkeys(self.clips))


def utterances(timeline: Timeline) -> list[Utterance]:
    """What the caller audibly said, grouped as server_vad must group it under the session in force."""
    found: list[Utterance] = []
    for clip, part in _spoken(timeline, muted=False):
        if found:
            last = found[-1]
            pause = part[0] - last.end
            silence = turn_detection_at(timeline, part[0]).silence_duration_ms / 1000
            if pause < silence + PAUSE_SURELY_SPLITS:
                doubtful = pause >= silence - PAUSE_MAY_SPLIT
                found[-1] = Utterance((*last.clips, clip), (*last.parts, part), last.most + doubtful)
                continue
        found.append(Utterance((clip,), (part,)))
    return found


def muted_speech(timeline: Timeline) -> list[Interval]:
    """Intervals in which the caller spoke into a muted microphone."""
    return [part for _, part in _spoken(timeline, muted=True)]


def _spoken(timeline: Timeline, *, muted: bool) -> list[tuple[str, Interval]]:
    silenced = muted_intervals(timeline)
    found: list[tuple[str, Interval]] = []
    for started in timeline.all(UtteranceStarted):
        broken_off = end_of_clip(timeline, started)
        for start_ms, end_ms in started.speech:
            part = (started.at + start_ms / 1000, min(started.at + end_ms / 1000, broken_off))
            if part[1] <= part[0]:
                continue
            pieces = common([part], silenced) if muted else without(part, silenced)
            if started.muted:
                pieces = [part] if muted else []
            found += [(started.clip, piece) for piece in pieces]
    return sorted(found, key=lambda item: item[1])


def end_of_clip(timeline: Timeline, started: UtteranceStarted) -> float:
    """When a clip was broken off, or else the call's end: it may have ended by itself before."""
    ended = timeline.first(UtteranceEnded, after=started.at, where=lambda e: e.clip == started.clip and e.cut)
    next_same = timeline.first(
        UtteranceStarted, after=started.at, where=lambda e: e is not started and e.clip == started.clip
    )
    if ended is not None and (next_same is None or ended.at <= next_same.at):
        return ended.at
    over = timeline.first(CallEnded)
    return over.at if over is not None else float("inf")


def muted_intervals(timeline: Timeline) -> list[Interval]:
    """Intervals in which the microphone was muted; the last may be endless."""
    return [
        (start, float("inf") if end is None else end)
        for start, end in timeline.spans(
            lambda e: isinstance(e, MicrophoneChanged) and e.muted,
            lambda e: isinstance(e, MicrophoneChanged) and not e.muted,
        )
    ]


def common(first: Iterable[Interval], second: Iterable[Interval]) -> list[Interval]:
    """Where both lists of intervals overlap."""
    others = list(second)
    cut = [(max(a, c), min(b, d)) for a, b in first for c, d in others]
    return sorted((a, b) for a, b in cut if a < b)


def without(whole: Interval, holes: Iterable[Interval]) -> list[Interval]:
    """What is left of an interval."""
    left = [whole]
    for start, end in holes:
        left = [p for a, b in left for p in ((a, min(b, start)), (max(a, end), b)) if p[0] < p[1]]
    return left
