"""Calls as OpenTelemetry traces, as a collector gets them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.config.run import run_settings
from harness.core.errors import UsageError
from harness.core.events import CallStarted, Event, StateChanged
from harness.core.stages import stages
from harness.core.traceparent import TraceParent
from harness.report.telemetry import Telemetry, send_run
from harness.run.model import Run
from harness.run.stream import RunEnded
from tests.plugin.conftest import Run as RunScenarios
from tests.plugin.conftest import scenarios  # noqa: F401  (a fixture)
from tests.report.html.runs import entry, run_of
from tests.support.editing import a, changed
from tests.support.serving import serving
from tests.support.timelines import healthy_events

BEGAN = "2026-11-20T03:04:05.250+00:00"
TRACE = TraceParent(0xAB, 0xCD)


@dataclass
class Collector:
    """Takes traces over HTTP; `status` is its answer to each."""

    status: int = 200
    spans: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self, environment: pytest.MonkeyPatch) -> Iterator[Collector]:
        """OpenTelemetry's variables name it meanwhile."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = ExportTraceServiceRequest.FromString(
                    self.rfile.read(int(self.headers["Content-Length"]))
                )
                for resource in sent.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += map(MessageToDict, scope.spans)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        with serving(Handler) as self.url:
            environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", self.url)
            yield self

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [span for span in self.spans if "parentSpanId" not in span]


def traced_run(events: list[Event]) -> Run:
    traced = changed(events, a(CallStarted), started_at=BEGAN, traceparent=str(TRACE))
    return run_of(entry(traced))


def told(span: dict[str, Any]) -> dict[str, Any]:
    """Its attributes."""
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_a_call_is_a_trace_and_each_stage_a_span_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = traced_run(healthy_events())
    with Collector().running(monkeypatch) as collector:
        observer = Telemetry()
        observer(RunEnded(run))
    assert observer.lines == []
    (root,) = collector.roots
    assert root["name"] == "call first"
    assert told(root)["voice.call"] == run.calls[0].id
    assert {span["traceId"] for span in collector.spans} == {root["traceId"]}
    assert all(span["parentSpanId"] == root["spanId"] for span in collector.spans if span is not root)
    found = {span["name"]: span for span in collector.spans if span is not root}
    begun = int(root["startTimeUnixNano"])
    assert begun == 1_795_143_845_250_000_000
    for stage in stages(run.calls[0].timeline):
        assert stage.seconds is not None
        assert int(found[stage.name]["startTimeUnixNano"]) - begun == pytest.approx(stage.start * 1e9, abs=9)
        end = stage.start + stage.seconds
        assert int(found[stage.name]["endTimeUnixNano"]) - begun == pytest.approx(end * 1e9, abs=9)
    assert told(found["answer"]) == {"http.response.status_code": "200"}
    assert "status" not in root or not root["status"]


def test_what_failed_is_the_calls_error_and_an_event_at_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [e for e in healthy_events() if not (isinstance(e, StateChanged) and e.layer == "channel")]
    run = traced_run(broken)
    with Collector().running(monkeypatch) as collector:
        assert send_run(run) == []
    (root,) = collector.roots
    assert root["status"]["code"] == "STATUS_CODE_ERROR"
    assert "connectivity.data-channel-opens: " in root["status"]["message"]
    (event,) = [e for e in root["events"] if e["name"] == "connectivity.data-channel-opens"]
    assert told(event)["voice.outcome"] == "failed"
    assert told(event)["voice.fix"]
    begun, end = int(root["startTimeUnixNano"]), int(root["endTimeUnixNano"])
    assert begun <= int(event["timeUnixNano"]) <= end


def test_a_call_that_was_not_traced_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector().running(monkeypatch) as collector:
        assert send_run(run_of(entry())) == []
    assert collector.spans == []


def test_a_collector_that_refuses_is_a_line_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Collector(status=400).running(monkeypatch) as collector:
        (line,) = send_run(traced_run(healthy_events()))
    assert f"the collector at {collector.url} did not take" in line
    assert caplog.records  # OpenTelemetry's own words


@pytest.mark.parametrize(
    ("address", "shown"), [("localhost:4317", "localhost:4317"), ("grpc://me:secret@host:1", "grpc://host:1")]
)
def test_an_address_that_is_no_url_is_refused_before_any_call(
    address: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    with pytest.raises(UsageError, match="is no URL for OTLP over HTTP") as raised:
        run_settings(target="http://127.0.0.1:1", telemetry=True)
    assert shown in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_header_is_read_as_it_was_written() -> None:
    one = TraceParent.new()
    assert TraceParent.read(str(one)) == one
    assert TraceParent.new() != one
    assert TraceParent.read("") is None
    assert TraceParent.read("00-xyz") is None


def test_a_real_call_names_its_trace_to_the_target(
    monkeypatch: pytest.MonkeyPatch,
    scenarios: RunScenarios,  # noqa: F811  (the fixture)
) -> None:
    with Collector().running(monkeypatch) as collector:
        finished = scenarios("--smoke", "--telemetry", paths=("scenarios/",))
    assert finished.code == 0, finished.output[-4000:]
    assert "telemetry:" not in finished.output
    (root,) = collector.roots
    (timeline,) = finished.reports.rglob("timeline.jsonl")
    lines = [msgspec.json.decode(line) for line in timeline.read_bytes().splitlines()]
    ours = [line for line in lines if line.get("side", "caller") == "caller"]
    requests = [line for line in ours if line["kind"] == "http-request" and line["method"] == "POST"]
    assert requests
    trace, span = (base64.b64decode(root[name]).hex() for name in ("traceId", "spanId"))
    for request in requests:
        assert dict(request["headers"])["traceparent"] == f"00-{trace}-{span}-01"
    assert {"answer", "ice", "dtls", "channel", "session"} <= {each["name"] for each in collector.spans}
