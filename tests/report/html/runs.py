"""Runs to make pages of: built timelines, judged as a run judges them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from harness.core.audio import Samples
from harness.core.events import CallStarted, Event
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY
from harness.requirements.judging import judge
from harness.requirements.model import Requirement
from harness.run.model import CallEntry, Run
from harness.speech.clip import Clip
from harness.speech.library import load_library
from tests.support.timelines import healthy_events

CLIP = "es-f-order"  # what the built calls say


def clips() -> Mapping[str, Clip]:
    """The fixtures."""
    return load_library()


def renamed(events: Iterable[Event], call: str) -> list[Event]:
    """The same call under another id."""
    return [msgspec.structs.replace(e, call=call) if isinstance(e, CallStarted) else e for e in events]


def entry(
    events: Iterable[Event] | None = None,
    call: str = "001-first-turn",
    *,
    audio: Samples | None = None,
    title: str = "A caller asks, and is answered.",
    node: str = "scenarios/first.py::first",
) -> CallEntry:
    """A call of the run; a healthy one unless told otherwise."""
    timeline = Timeline(renamed(healthy_events() if events is None else events, call))
    judged = frozenset(r.id for r in REGISTRY if r.over == "call")
    return CallEntry(call, "first", timeline, audio, title=title, node=node, judged=judged)


def run_of(*calls: CallEntry, requirements: Iterable[Requirement] = (), repeat: tuple[str, ...] = ()) -> Run:
    """The calls, judged by the whole catalogue unless told otherwise."""
    judged = list(requirements) or [r for r in REGISTRY if r.over == "call"]
    verdicts = judge([call.timeline for call in calls], judged)
    return Run(
        target="http://127.0.0.1:3000/api/voice/webrtc/session",
        dialect="json",
        mode="embedded",
        seed=7,
        started_at="2026-01-02T03:04:05.678+00:00",
        calls=calls,
        verdicts=tuple(verdicts),
        repeat=repeat or ("--seed", "7"),
    )


def tone(seconds: float, *, start: float = 0.0, level: float = 0.3) -> Samples:
    """Silence, then a sine of 440 Hz to the end; 48 kHz."""
    times = np.arange(round(seconds * 48_000)) / 48_000
    wave = np.where(times >= start, np.sin(2 * np.pi * 440 * times), 0.0)
    return (level * 32767 * wave).astype(np.int16)
