"""Each call of a run as an OpenTelemetry trace: the call, its stages, and what was found, at its moment.

The collector is the one that OpenTelemetry's own variables name (OTEL_EXPORTER_OTLP_ENDPOINT, …_HEADERS,
…_TIMEOUT). The requests of a call carry its trace (`traceparent`), so a relay that is traced adds its spans.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.config.telemetry import collector
from harness.core.clock import seconds_of
from harness.core.events import CallEnded, CallStarted, HttpResponse
from harness.core.printable import printable
from harness.core.probes import CALLS
from harness.core.stages import Stage, stages
from harness.core.traceparent import TraceParent
from harness.requirements.model import Outcome, Verdict
from harness.run.model import CallEntry, Run
from harness.run.stream import Happening, RunEnded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

SERVICE = "voice-relay-harness"
NANOSECONDS = 1_000_000_000
TOLD = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR, Outcome.INCONCLUSIVE)


@dataclass
class Telemetry:
    """Observes a run: sends its calls when it has ended. `lines` say what was not taken."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, happening: Happening) -> None:
        """Nothing before the end."""
        if isinstance(happening, RunEnded):
            self.lines = send_run(happening.run)


def send_run(run: Run) -> list[str]:
    """Send the calls; a line where the collector did not take them, which fails no run.

    It may take as long as OTEL_EXPORTER_OTLP_TIMEOUT says: 10 s.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    made = [span for call in run.calls for span in spans(run, call)]
    if not made:
        return []
    exporter = OTLPSpanExporter()
    try:
        result = exporter.export(made)
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry says no types for it
    if result is SpanExportResult.SUCCESS:
        return []
    return [
        f"telemetry: the collector at {collector()} did not take the run's {len(made)} spans: is it running, "
        "and does it take OTLP over HTTP?"
    ]


def spans(run: Run, call: CallEntry) -> Iterator[ReadableSpan]:
    """The call's root span, whose id its requests named, and a span for each stage. None untraced."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    started = call.timeline.first(CallStarted)
    parent = TraceParent.read(started.traceparent) if started is not None else None
    if started is None or parent is None:
        return
    begun = round(seconds_of(started.started_at) * 1000) * NANOSECONDS // 1000
    ended = call.timeline.last(CallEnded)
    end = ended.at if ended is not None else max(e.at for e in call.timeline)
    resource = Resource.create({"service.name": SERVICE, "service.version": __version__})
    verdicts = [v for v in run.verdicts if v.call == call.id]
    failed = [v for v in verdicts if v.outcome == Outcome.FAILED]

    def at(seconds: float) -> int:
        return begun + round(seconds * NANOSECONDS)

    def context(span: int) -> SpanContext:
        return SpanContext(parent.trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    def span(name: str, number: int, since: float, until: float, wrong: str, **said: Any) -> ReadableSpan:
        return ReadableSpan(
            name,
            context(number),
            context(parent.span) if number != parent.span else None,
            resource,
            start_time=at(since),
            end_time=at(until),
            status=Status(StatusCode.ERROR, wrong) if wrong else Status(StatusCode.UNSET),
            **said,
        )

    yield span(
        f"call {call.scenario}",
        parent.span,
        0.0,
        end,
        ", ".join(f"{v.id}: {v.cause}" for v in failed),
        kind=SpanKind.CLIENT,
        attributes=_of_call(run, call, started),
        events=[Event(v.id, _of_verdict(v), at(_moment(v, end))) for v in verdicts if v.outcome in TOLD],
    )
    for stage in stages(call.timeline):
        until = end if stage.seconds is None else stage.start + stage.seconds
        wrong = "it never ended" if stage.seconds is None else ""
        said = {"attributes": _of_stage(call, stage)}
        yield span(stage.name, secrets.randbits(64) or 1, stage.start, until, wrong, **said)


def _moment(verdict: Verdict, end: float) -> float:
    """When it was first seen; what has no moment is known at the end."""
    return min((e.at for e in verdict.evidence if e.at is not None), default=end)


def _of_call(run: Run, call: CallEntry, started: CallStarted) -> Mapping[str, str | int]:
    return {
        "voice.call": call.id,
        "voice.scenario": call.scenario,
        "voice.caller": started.caller,
        "voice.dialect": started.dialect,
        "voice.mode": started.mode,
        "voice.seed": run.seed,
        "url.full": printable(started.target),
    }


def _of_verdict(verdict: Verdict) -> Mapping[str, str]:
    return {
        "voice.outcome": verdict.outcome.value,
        "voice.cause": verdict.cause or "",
        "voice.explanation": printable(verdict.explanation),
        "voice.fix": verdict.fix or "",
    }


def _of_stage(call: CallEntry, stage: Stage) -> Mapping[str, int]:
    if stage.name != "answer":
        return {}
    answered = call.timeline.first(HttpResponse, where=lambda e: e.purpose in CALLS)
    return {"http.response.status_code": answered.status} if answered is not None else {}
