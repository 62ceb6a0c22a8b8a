"""What results.json holds, field by field: the types that its JSON Schema is made from.

`harness.report.files` writes it, `harness.report.saved` reads what it needs of it, of older schemas too.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Outcomes = Literal[
    "passed",
    "failed",
    "warned",
    "observed",
    "blocked",
    "not-applicable",
    "inconclusive",
    "error",
]


class ToolResult(msgspec.Struct, frozen=True):
    """Which harness made the run."""

    version: str


class TargetResult(msgspec.Struct, frozen=True):
    """What was called, and how much of it was seen. `url` is without the secrets of its query."""

    url: str
    route: str
    dialect: str
    mode: Literal["embedded", "black-box", "grey-box"]


class FindingResult(msgspec.Struct, frozen=True):
    """One root cause, the worst first. `hits`: whom it hits, in words with figures."""

    urgency: Literal["ours", "hurt", "loss", "harden", "untold"]
    id: str
    cause: str | None
    hits: str


class VerdictResult(msgspec.Struct, frozen=True):
    """One requirement on one call; `scenario` and `call` are empty where all calls are judged together."""

    id: str
    level: Literal["MUST", "SHOULD", "OBSERVE"]
    outcome: Outcomes
    cause: str | None
    scenario: str
    call: str
    explanation: str
    fix: str
    evidence: tuple[str, ...]


class MeasurementResult(msgspec.Struct, frozen=True):
    """A quantity over all calls; `p95` is null under twenty samples, all are null without any."""

    unit: str
    count: Annotated[int, msgspec.Meta(ge=0)]
    p50: float | None
    p95: float | None
    max: float | None


class CallResult(msgspec.Struct, frozen=True):
    """One call. `timeline`: the path of its record, seen from results.json."""

    id: str
    scenario: str
    timeline: str


class Results(msgspec.Struct, frozen=True):
    """results.json of a run. `interrupted` stands only where calls that were asked for are missing."""

    schema: Literal[2]
    harness: ToolResult
    target: TargetResult
    caller: str
    seed: Annotated[int, msgspec.Meta(ge=0)]
    started_at: str
    verdict: Literal["conforming", "violating", "inconclusive", "unreachable"]
    summary: tuple[FindingResult, ...]
    requirements: tuple[VerdictResult, ...]
    measurements: dict[str, MeasurementResult]
    calls: tuple[CallResult, ...]
    interrupted: bool = False
