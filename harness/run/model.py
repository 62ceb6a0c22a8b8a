"""A run as a whole: its calls, verdicts and measurements, and the one word about the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness import __version__
from harness.core import exit_codes
from harness.core.audio import Samples
from harness.core.events import (
    CallStarted,
    CallWithheld,
    ChannelSilenced,
    HttpFailed,
    MicrophoneRefused,
    NetworkImpaired,
    StepEnded,
    VerbUnavailable,
)
from harness.core.probes import CALLS, CONNECT, MINT
from harness.core.timeline import Timeline
from harness.requirements.model import Level, Outcome, Verdict
from harness.run.measurements import Measurement, collect

TELLING = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE)
# What a call is made without on purpose, in order to see what comes of it; or cannot do.
ON_PURPOSE = (ChannelSilenced, NetworkImpaired, VerbUnavailable)
UNREACHABLE = ("refused", "unresolved", "unanswered", "tls")
HANGS = ("timeout", "unfinished")  # reached, and a violation


class RunVerdict(StrEnum):
    """The word about the target."""

    CONFORMING = "conforming"
    VIOLATING = "violating"
    INCONCLUSIVE = "inconclusive"
    UNREACHABLE = "unreachable"


EXIT_CODES = {
    RunVerdict.CONFORMING: exit_codes.CONFORMING,
    RunVerdict.VIOLATING: exit_codes.VIOLATING,
    RunVerdict.UNREACHABLE: exit_codes.UNREACHABLE,
    RunVerdict.INCONCLUSIVE: exit_codes.INCONCLUSIVE,
}


@dataclass(frozen=True)
class CallEntry:
    """One call of the run. `audio`: what was received, 48 kHz mono, None where it was not kept.

    `title` is the scenario's sentence, `place` the file and line where it is written; `node` its node id in
    pytest, empty where another front door made the call; `judged` are the requirements that are tests of
    their own there.
    """

    id: str
    scenario: str
    timeline: Timeline
    audio: Samples | None = None
    title: str = ""
    node: str = ""
    judged: frozenset[str] = frozenset()
    place: tuple[str, int] = ("", 0)

    @property
    def continues(self) -> bool:
        """Whether it was made in place of a call that was lost."""
        started = self.timeline.first(CallStarted)
        return started is not None and bool(started.continues)

    @property
    def withheld(self) -> bool:
        """Whether it was not placed, so that nothing of it can be judged."""
        return self.timeline.first(CallWithheld) is not None


@dataclass(frozen=True)
class Run:
    """Everything that a report is made from.

    `route`: how a call is asked for; `caller`: who makes it. `conditions` is what two runs must share to be
    compared, beside target and mode: the fixtures' digest, the impairment. `strict`: a SHOULD binds.
    `repeat`: the options with which pytest makes the same calls. `interrupted`: it was cut short, and calls
    that were asked for are missing.
    """

    target: str
    dialect: str
    mode: str
    seed: int
    started_at: str
    calls: tuple[CallEntry, ...]
    verdicts: tuple[Verdict, ...]
    unreachable: str = ""
    interrupted: bool = False
    conditions: Mapping[str, str] = field(default_factory=dict)
    harness_version: str = field(default=__version__)
    route: str = "offer"
    caller: str = "aiortc"
    repeat: tuple[str, ...] = ()
    strict: bool = False

    @property
    def verdict(self) -> RunVerdict:
        """Unreachable before all else; a violation outweighs doubt; doubt outweighs conformance.

        A call that was not placed leaves doubt, and so do a run that was cut short and a call that never
        began without anything to blame: what was not looked at is not conforming. Doubt about a SHOULD is no
        worse than its violation, which is a warning.
        """
        if self.unreachable:
            return RunVerdict.UNREACHABLE
        outcomes = {verdict.outcome for verdict in self.verdicts if not self._is_harmless_doubt(verdict)}
        if Outcome.FAILED in outcomes:
            return RunVerdict.VIOLATING
        if self.interrupted or any(call.withheld for call in self.calls) or self.unexplained:
            return RunVerdict.INCONCLUSIVE
        if outcomes & {Outcome.ERROR, Outcome.INCONCLUSIVE} or not outcomes & {
            Outcome.PASSED,
            Outcome.WARNED,
            Outcome.OBSERVED,
        }:
            return RunVerdict.INCONCLUSIVE
        return RunVerdict.CONFORMING

    def _is_harmless_doubt(self, verdict: Verdict) -> bool:
        """Doubt about what does not bind: the word about the target does not hang on it."""
        binding = (Level.MUST, Level.SHOULD) if self.strict else (Level.MUST,)
        return verdict.outcome == Outcome.INCONCLUSIVE and verdict.level not in binding

    @property
    def unexplained(self) -> tuple[str, ...]:
        """Of each call that was given up before it began, and that no verdict finds anything about, why."""
        found = []
        for call in self.calls:
            given_up = call.timeline.first(StepEnded, where=lambda e: e.step == CONNECT and e.failed != "")
            if given_up is None or _is_on_purpose(call.timeline):
                continue
            if not any(verdict.outcome in TELLING for verdict in self.verdicts_of(call.id)):
                found.append(f"call {call.id} was given up ({given_up.failed}), and no binding rule says why")
        return tuple(found)

    def measurements(self) -> dict[str, Measurement]:
        """Every measured quantity over all calls, by name."""
        return {name: Measurement.of(unit, found) for name, (unit, found) in self.samples().items()}

    def samples(self) -> dict[str, tuple[str, list[float]]]:
        """Name → unit and every value that a measurement is made of."""
        return collect([call.timeline for call in self.calls], self.verdicts)

    def verdicts_of(self, call: str) -> Sequence[Verdict]:
        """The verdicts on one call."""
        return [v for v in self.verdicts if v.call == call]


def is_lost_observation(verdict: Verdict) -> bool:
    """A number that could not be taken: nothing about the target hangs on it."""
    return verdict.level == Level.OBSERVE and verdict.outcome == Outcome.INCONCLUSIVE


def unreachable(timeline: Timeline) -> str:
    """Why nothing answered the call's offer: `refused: …`; empty where something did."""
    failed = timeline.first(HttpFailed, where=lambda e: e.purpose in (*CALLS, MINT))
    if failed is None or failed.failure not in UNREACHABLE:
        return ""
    return f"{failed.failure}: {failed.detail}" if failed.detail else failed.failure


def hangs(timeline: Timeline) -> str:
    """How the call's offer was left without an answer, or without its end, by a target that was reached."""
    failed = timeline.first(HttpFailed, where=lambda e: e.purpose in CALLS)
    return failed.detail if failed is not None and failed.failure in HANGS else ""


def _is_on_purpose(timeline: Timeline) -> bool:
    """Whether the call was given up since it was made without something, or could not do it."""
    if any(timeline.first(kind) is not None for kind in ON_PURPOSE):
        return True
    return timeline.first(MicrophoneRefused, where=lambda e: e.planned) is not None
