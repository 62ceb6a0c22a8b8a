"""A verdict for Allure: title, feature, story, severity, link, cause, steps in their true times, evidence.

Allure's own test result is filled where its public functions fall short: they stamp steps with the present,
and write an attachment anew for each test, though all tests of a call share its evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import allure
import pytest
from allure_commons.model2 import ATTACHMENT_PATTERN, Attachment, Label, Status, TestStepResult

from harness.core.clock import seconds_of
from harness.core.events import CallStarted, ClientEvent, ServerEvent, StepEnded, StepStarted
from harness.core.printable import printable
from harness.core.timeline import Timeline
from harness.report.files import descriptions, wav_bytes
from harness.report.markdown import paragraphs
from harness.requirements.model import Requirement, Verdict
from harness.run.model import CallEntry, Run
from harness.run.stream import Happening, RunEnded

LISTENER = "allure_listener"
EPIC = "Voice relay"
CONFIG = "allurerc.json"

# For `allure generate -c DIR/allurerc.json DIR`. A label's value is matched as a regular expression.
SETTINGS = {
    "name": "Voice relay harness",
    "historyPath": "reports/nightly/allure-history.jsonl",
    "categories": {
        "rules": [
            {
                "name": "The target broke a rule",
                "matchers": [{"statuses": ["failed"]}],
                "groupBy": [{"label": "cause"}],
                "groupByMessage": False,
            },
            {"name": "The harness broke", "matchers": [{"statuses": ["broken"]}]},
            {
                "name": "Warnings",
                "matchers": [{"labels": {"outcome": "^warned$"}}],
                "groupBy": [{"label": "cause"}],
                "groupByMessage": False,
            },
            {"name": "Inconclusive", "matchers": [{"labels": {"outcome": "^inconclusive$"}}]},
            {"name": "Blocked by another failure", "matchers": [{"labels": {"outcome": "^blocked$"}}]},
            {"name": "Not applicable", "matchers": [{"labels": {"outcome": "^not-applicable$"}}]},
        ]
    },
    "plugins": {"awesome": {"options": {"groupBy": ["epic", "feature", "story"]}}},
}


@dataclass
class AllureReport:
    """What one run tells Allure. A call's evidence is written once, and all its tests point at it."""

    directory: Path
    listener: Any
    _evidence: dict[str, list[Attachment]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: pytest.Config) -> AllureReport | None:
        """None where no Allure results were asked for."""
        listener = config.pluginmanager.get_plugin(LISTENER)
        return (
            None if listener is None else cls(Path(config.option.allure_report_dir), listener.allure_logger)
        )

    def describe(self, requirement: Requirement, call: CallEntry | None, verdict: Verdict) -> None:
        """Describe the running test, inside of it. `call` is None where all calls were judged."""
        allure.dynamic.title(f"{requirement.title} ({requirement.id})")
        allure.dynamic.description(paragraphs(verdict, requirement.title))
        allure.dynamic.epic(EPIC)
        allure.dynamic.feature(requirement.area)
        allure.dynamic.story(call.title if call else "All calls of the run.")
        allure.dynamic.severity(requirement.severity.value)
        allure.dynamic.tag(requirement.level.value, verdict.outcome.value)
        if requirement.source.url:
            allure.dynamic.link(requirement.source.url, name=requirement.source.name)
        test = self.listener.get_test(None)
        test.labels.append(Label("outcome", verdict.outcome.value))
        if verdict.cause:
            test.labels.append(Label("cause", f"{verdict.id}: {verdict.cause}"))
        if call is None:
            return
        test.steps.extend(steps(call.timeline))
        test.attachments.extend(self._attachments(call))

    def __call__(self, happening: Happening) -> None:
        """Observe a run: nothing before the end."""
        if isinstance(happening, RunEnded):
            self.finish(happening.run)

    def finish(self, run: Run) -> None:
        """Write what Allure shows of the run as a whole, and how it is to sort what failed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        facts = {
            "target": run.target,
            "dialect": run.dialect,
            "mode": run.mode,
            "verdict": run.verdict.value,
            "seed": run.seed,
            "harness": run.harness_version,
            **run.conditions,
        }
        lines = "".join(f"{name}={_one_line(str(value))}\n" for name, value in facts.items())
        (self.directory / "environment.properties").write_text(lines, encoding="utf-8")
        (self.directory / CONFIG).write_text(json.dumps(SETTINGS, indent=1) + "\n", encoding="utf-8")

    def _attachments(self, call: CallEntry) -> list[Attachment]:
        if call.id not in self._evidence:
            self._evidence[call.id] = [self._write(*found) for found in evidence(call)]
        return self._evidence[call.id]

    def _write(self, name: str, body: bytes, mime_type: str, extension: str) -> Attachment:
        source = ATTACHMENT_PATTERN.format(prefix=uuid4(), ext=extension)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / source).write_bytes(body)
        return Attachment(name=name, source=source, type=mime_type)


def steps(timeline: Timeline) -> Iterator[TestStepResult]:
    """The plan's steps as they were in time, in ms of the wall clock."""
    started = timeline.first(CallStarted)
    begin = seconds_of(started.started_at) if started and started.started_at else 0.0
    open_steps: list[StepStarted] = []
    for event in timeline:
        if isinstance(event, StepStarted):
            open_steps.append(event)
        elif isinstance(event, StepEnded):
            opened = next((s for s in reversed(open_steps) if s.step == event.step), None)
            start = opened.at if opened else event.at
            name = f"{start:.3f} s: {event.step}" + (f" ({event.failed})" if event.failed else "")
            yield TestStepResult(
                name=printable(name),
                status=Status.FAILED if event.failed else Status.PASSED,
                start=round(1000 * (begin + start)),
                stop=round(1000 * (begin + event.at)),
            )


def evidence(call: CallEntry) -> Iterator[tuple[str, bytes, str, str]]:
    """Name, content, media type and file extension of what is attached to every test of a call."""
    for name, text in descriptions(call).items():
        yield name, text.encode("utf-8", "replace"), "text/plain", "txt"
    events = [e for e in call.timeline if isinstance(e, ClientEvent | ServerEvent) and e.side == "caller"]
    log = "\n".join(
        f"{e.at:8.3f} {'→' if isinstance(e, ClientEvent) else '←'} {json.dumps(e.event, ensure_ascii=False)}"
        for e in events
    )
    yield "events", printable(log, lines=True).encode(), "text/plain", "txt"
    yield "timeline.jsonl", printable(call.timeline.to_jsonl(), lines=True).encode(), "text/plain", "txt"
    if call.audio is not None and call.audio.size:
        yield "received audio", wav_bytes(call.audio), "audio/wav", "wav"


def _one_line(value: str) -> str:
    return printable(value.replace("\\", "\\\\").replace("\n", " "))
