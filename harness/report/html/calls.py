"""What the page shows of one call: how it went, to see and to hear."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.core.events import CallEnded, CallWithheld, ClientEvent, ServerEvent
from harness.core.stages import durations
from harness.core.timeline import Timeline
from harness.report.explain import ACTIONABLE
from harness.report.files import CALLS, descriptions
from harness.report.html.connecting import connecting
from harness.report.html.conversing import SpokenLine, conversing, script
from harness.report.html.lanes import Lane, Panel, draw, ruler
from harness.report.html.repeating import repeat_call
from harness.report.html.sound import as_webm, said
from harness.report.html.views import tally
from harness.report.html.visits import PageLine, Picture, done, taken
from harness.report.html.words import duration
from harness.requirements.exchanges import Exchange, exchanges
from harness.requirements.model import Outcome, Verdict
from harness.run.model import CallEntry, Run
from harness.speech.clip import Clip

SOUND_BUDGET = 3_600_000  # characters of base64 for all calls of a page: some nine minutes
LONGEST_BODY = 2_000  # characters of a body that are shown; the timeline has all


@dataclass(frozen=True)
class DrawnPanel:
    """A panel ready for the page: (lane, its drawing), and the ruler. `end` in seconds."""

    end: float
    rows: tuple[tuple[Lane, Markup], ...]
    ruler: Markup

    @classmethod
    def of(cls, panel: Panel | None) -> DrawnPanel | None:
        """None for a panel without lanes."""
        if panel is None or not panel.lanes:
            return None
        return cls(panel.end, tuple((lane, draw(lane, panel)) for lane in panel.lanes), ruler(panel))


@dataclass(frozen=True)
class Message:
    """Events of one type that followed each other on the data channel."""

    at: float
    sent: bool
    type: str
    times: int


@dataclass(frozen=True)
class CallView:
    """One call. `sound` is WebM in base64, empty where there is none; `files` its folder of evidence."""

    id: str
    anchor: str
    title: str
    scenario: str
    counts: tuple[tuple[Outcome, int], ...]
    facts: tuple[str, ...]
    ended: str
    findings: tuple[Verdict, ...]
    connection: DrawnPanel | None
    conversation: DrawnPanel | None
    sound: str
    silent_because: str
    script: tuple[SpokenLine, ...]
    exchanges: tuple[Exchange, ...]
    descriptions: Mapping[str, str]
    messages: tuple[Message, ...]
    pictures: tuple[Picture, ...]
    page_lines: tuple[PageLine, ...]
    command: str
    files: str

    @property
    def worst(self) -> Outcome | None:
        return self.counts[0][0] if self.counts else None


def calls(run: Run, clips: Mapping[str, Clip]) -> list[CallView]:
    """Every call in the run's order; those with findings are the first to get sound, within the budget."""
    verdicts = {call.id: run.verdicts_of(call.id) for call in run.calls}
    broken = {cid: any(v.outcome in ACTIONABLE for v in its) for cid, its in verdicts.items()}
    left = SOUND_BUDGET
    views: dict[str, CallView] = {}
    for call in sorted(run.calls, key=lambda c: not broken[c.id]):
        views[call.id] = view = _view(run, call, tuple(verdicts[call.id]), clips, left)
        left -= len(view.sound)
    return [views[call.id] for call in run.calls]


def anchor(call_id: str) -> str:
    """The fragment of a call's place in the page."""
    return "call-" + re.sub(r"[^\w-]", "-", call_id)


def _view(
    run: Run, call: CallEntry, verdicts: tuple[Verdict, ...], clips: Mapping[str, Clip], budget: int
) -> CallView:
    timeline = call.timeline
    left = said(timeline, clips)
    right = call.audio if call.audio is not None else np.zeros(0, dtype=np.int16)
    talk = conversing(timeline, left, right)
    sound, silent_because = "", ""
    if talk is not None and (left.any() or right.any()):
        sound = base64.b64encode(as_webm(left, right)).decode("ascii")
        if len(sound) > budget:
            sound = ""
            silent_because = f"this page would grow too large: listen to {CALLS}/{call.id}/received.wav"
    return CallView(
        id=call.id,
        anchor=anchor(call.id),
        title=call.title or call.scenario or call.id,
        scenario=call.scenario,
        counts=tally(verdicts),
        facts=tuple(_facts(timeline)),
        ended=_ended(timeline),
        findings=tuple(v for v in verdicts if v.outcome in ACTIONABLE),
        connection=DrawnPanel.of(connecting(timeline)),
        conversation=DrawnPanel.of(talk),
        sound=sound,
        silent_because=silent_because,
        script=tuple(script(timeline)),
        exchanges=tuple(exchanges(timeline)) + tuple(exchanges(timeline, side="upstream")),
        descriptions=descriptions(call),
        messages=tuple(_messages(timeline)),
        pictures=taken(timeline),
        page_lines=done(timeline),
        command=repeat_call(run, call),
        files=f"{CALLS}/{call.id}/",
    )


def _ended(timeline: Timeline) -> str:
    withheld = timeline.first(CallWithheld)
    if withheld is not None:
        return f"not placed: {withheld.reason}"
    ended = timeline.last(CallEnded)
    return ended.reason if ended is not None else "the record ends before the call does"


def _facts(timeline: Timeline) -> list[str]:
    """What tells calls apart at a glance."""
    took = durations(timeline)
    last = max((event.at for event in timeline), default=0.0)
    facts = [f"{last:.1f} s"]
    if "set-up" in took:
        facts.append(f"set up in {duration(took['set-up'][0])}")
    if "first-audio" in took:
        facts.append(f"first audio after {duration(max(took['first-audio']))}")
    return facts


def _messages(timeline: Timeline) -> list[Message]:
    found: list[Message] = []
    for event in timeline:
        if event.side != "caller" or not isinstance(event, ClientEvent | ServerEvent):
            continue
        sent, kind = isinstance(event, ClientEvent), event.type or "no event"
        if found and (found[-1].sent, found[-1].type) == (sent, kind):
            found[-1] = Message(found[-1].at, sent, kind, found[-1].times + 1)
        else:
            found.append(Message(event.at, sent, kind, 1))
    return found
