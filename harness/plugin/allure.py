"""A verdict for Allure: title, feature, story, severity, link, steps, and the call's evidence attached."""

from __future__ import annotations

import json

import allure
from allure_commons.types import AttachmentType

from harness.call.conduct import CallRecord
from harness.core.events import ClientEvent, ServerEvent, StepEnded
from harness.report.explain import explain
from harness.report.files import descriptions, wav_bytes
from harness.report.run import CallEntry
from harness.requirements.model import Requirement, Verdict


def describe(requirement: Requirement, record: CallRecord | None, verdict: Verdict) -> None:
    """Describe the running test; call it inside the test. `record` is None where all calls were judged."""
    allure.dynamic.title(f"{requirement.title} ({requirement.id})")
    allure.dynamic.description(explain(verdict, requirement.title))
    allure.dynamic.feature(requirement.area)
    allure.dynamic.story(record.scenario.title if record else "All calls of the run.")
    allure.dynamic.severity(requirement.severity.value)
    allure.dynamic.tag(requirement.level.value, verdict.outcome.value)
    if requirement.source.url:
        allure.dynamic.link(requirement.source.url, name=requirement.source.name)
    if record is None:
        return
    for step in record.timeline.all(StepEnded):
        with allure.step(f"{step.at:.3f} s: {step.step}{f' ({step.failed})' if step.failed else ''}"):
            pass
    _attach(record)


def _attach(record: CallRecord) -> None:
    entry = CallEntry(record.id, record.scenario.name, record.timeline, record.audio)
    for name, text in descriptions(entry).items():
        allure.attach(text, name, AttachmentType.TEXT)
    events = [e for e in record.timeline if isinstance(e, ClientEvent | ServerEvent) and e.side == "caller"]
    log = "\n".join(
        f"{e.at:8.3f} {'→' if isinstance(e, ClientEvent) else '←'} {json.dumps(e.event, ensure_ascii=False)}"
        for e in events
    )
    allure.attach(log, "events", AttachmentType.TEXT)
    allure.attach(record.timeline.to_jsonl(), "timeline.jsonl", AttachmentType.TEXT)
    if record.audio.size:
        allure.attach(wav_bytes(record.audio), "received audio", "audio/wav", "wav")
