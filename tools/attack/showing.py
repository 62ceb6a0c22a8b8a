"""Judging a spoiled call, and reading what every sink made of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from harness.cli.screen import PrintableConsole
from harness.core.events import CallStarted, Event
from harness.core.timeline import Timeline
from harness.plugin.allure import evidence, steps
from harness.report.explain import explain
from harness.report.files import as_results, as_samples
from harness.report.html.page import as_html
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.checkup import checkup
from harness.run.judging import judge_call, judge_over_calls
from harness.run.model import CallEntry, Run
from tests.support.escapes import raw_in
from tools.attack.kinds import expect


def judged(timeline: Timeline) -> Run:
    """The run of one call; a check that broke is a finding."""
    verdicts: list[Verdict] = []
    judge_call(timeline, REGISTRY, lambda _r, v: verdicts.append(v))
    judge_over_calls([timeline], REGISTRY, lambda _r, v: verdicts.append(v))
    for verdict in verdicts:
        broken = verdict.outcome == Outcome.ERROR and "the check itself" in verdict.explanation
        expect(not broken, f"{verdict.id}: {verdict.explanation}")
    started = timeline.first(CallStarted)
    assert started is not None
    return Run(
        target=started.target,
        dialect=started.dialect,
        mode=started.mode,
        seed=1,
        started_at="2026-11-27T00:00:00Z",
        calls=(CallEntry("001-first-turn", "first-turn", timeline),),
        verdicts=tuple(verdicts),
    )


def shown(run: Run) -> None:
    """Whatever is written of a run is printable, and JSON where it says so."""
    texts = [as_html(run, {}), *(explain(v, v.id) for v in run.verdicts)]
    json.loads(json.dumps(as_results(run)))
    json.dumps(as_samples(run))
    for call in run.calls:
        checkup(call.timeline, run.verdicts)
        list(steps(call.timeline))
        for _name, content, _type, _suffix in evidence(call):
            content.decode("utf-8")
        Timeline.from_jsonl(call.timeline.to_jsonl())
    console = PrintableConsole(markup=False, highlight=False, emoji=False, width=100, force_terminal=False)
    with console.capture() as captured:
        for text in texts[1:]:
            console.print(text)
    from harness.core.printable import printable

    for text in (printable(texts[0], lines=True), captured.get(), *texts[1:]):
        found = raw_in(text)
        expect(not found, f"raw: {found[:3]}")


def as_events(data: Sequence[Event]) -> bytes:
    """As JSON lines would have them."""
    return b"\n".join(msgspec.json.encode(event) for event in data)
