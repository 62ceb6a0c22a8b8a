"""Timelines in, verdicts out: pure, and the same for a call just made and for one read from a file."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import cast

from harness.core.callers import caller_named
from harness.core.clock import MonotonicClock
from harness.core.events import (
    CallEnded,
    CallStarted,
    CallWithheld,
    HarnessFailed,
    HttpFailed,
    HttpResponse,
    PacingMeasured,
    Stalled,
    VerbUnavailable,
)
from harness.core.limits import limit
from harness.core.timeline import Timeline
from harness.requirements.conditions import how_we_broke, impairment_behind
from harness.requirements.model import (
    CallsCheck,
    Check,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Observation,
    Outcome,
    Requirement,
    Verdict,
    Violation,
)

# A warning keeps no binding rule from being judged: a call that nobody hears is one, whatever else was odd.
BLOCKING = {
    Level.MUST: (Outcome.FAILED,),
    Level.SHOULD: (Outcome.FAILED, Outcome.WARNED),
    Level.OBSERVE: (Outcome.FAILED, Outcome.WARNED),
}

# Events that a check may look at in all its queries: seconds of work, where an ordinary call takes thousands.
MOST_LOOKS = 20_000_000
JUDGING_SECONDS = 60.0  # for all checks of a call; what is left then is told as ours


def judge(
    timelines: Iterable[Timeline], requirements: Iterable[Requirement], *, strict: bool = False
) -> list[Verdict]:
    """Judge each call by each requirement that takes one call, then all calls by each that takes several.

    Verdicts come call by call in the order given, requirements in theirs. A needed requirement is judged
    even when it is not asked for, since it decides what is blocked.
    """
    asked = list(requirements)
    calls = [CallJudge(timeline, strict=strict) for timeline in timelines]
    verdicts = [call.verdict(r) for call in calls for r in asked if r.over == "call"]
    verdicts += [_over_calls(r, calls, strict=strict) for r in asked if r.over == "calls"]
    return verdicts


class CallJudge:
    """One timeline before the bench; verdicts are kept, so that a need is judged once."""

    def __init__(self, timeline: Timeline, *, strict: bool = False) -> None:
        self.timeline = timeline
        self._strict = strict
        self._verdicts: dict[str, Verdict] = {}
        started = timeline.first(CallStarted)
        self._scenario, self._call = (started.scenario, started.call) if started else ("", "")
        self._limits = started.limits if started else {}
        self._clock = MonotonicClock()
        self._judging = 0.0  # seconds so far
        self._caller = started.caller if started else ""

    def verdict(self, requirement: Requirement) -> Verdict:
        """The requirement's verdict on this call."""
        if requirement.id not in self._verdicts:
            self._verdicts[requirement.id] = self._judged(requirement)
        return self._verdicts[requirement.id]

    def root(self, requirement: Requirement) -> Verdict | None:
        """The first of its needs' verdicts, through blocked ones, that keeps it from being judged."""
        for need in requirement.needs:
            verdict = self.verdict(need)
            root = self.root(need) if verdict.outcome == Outcome.BLOCKED else verdict
            if root is verdict and root.cause and not need.causes[root.cause].blocks:
                continue
            if root is not None and root.outcome in BLOCKING[requirement.level]:
                return root
        return None

    def unmet(self, requirement: Requirement) -> NotApplicable | Inconclusive | None:
        """Why the requirement does not apply to this call; None where it does."""
        if (unavailable := self.timeline.first(VerbUnavailable)) is not None:
            return NotApplicable(_cannot(unavailable))
        if (unseen := self._unseen(requirement)) is not None:
            return unseen
        reasons = (condition.unmet(self.timeline) for condition in requirement.when)
        return next((reason for reason in reasons if reason is not None), None)

    def _unseen(self, requirement: Requirement) -> NotApplicable | None:
        """Why a caller of this kind cannot tell."""
        kind = caller_named(self._caller)
        for view in requirement.sees:
            if (reason := kind.unseen.get(view)) is not None:
                return NotApplicable(f"needs to see {view}, which a {kind.name} caller does not: {reason}")
        if self._without_events and requirement.reads_events:
            return NotApplicable(
                "the target is one that passes no events of OpenAI's to its callers, and the upstream's were "
                "not seen: run with --fake-openai"
            )
        return None

    @cached_property
    def _without_events(self) -> bool:
        return self.timeline.events_side == "upstream" and not self.timeline.server_events()

    def _judged(self, requirement: Requirement) -> Verdict:
        withheld = self.timeline.first(CallWithheld)
        if withheld is not None:
            verdict = Verdict(
                requirement.id, requirement.level, Outcome.NOT_APPLICABLE, explanation=_not_placed(withheld)
            )
        elif (unavailable := self.timeline.first(VerbUnavailable)) is not None:
            verdict = Verdict(
                requirement.id, requirement.level, Outcome.NOT_APPLICABLE, explanation=_cannot(unavailable)
            )
        elif (root := self.root(requirement)) is not None:
            verdict = blocked(requirement, root)
        elif (failure := self._own_failure(requirement.area)) is not None:
            verdict = _broke(requirement, failure)
        else:
            verdict = ruled(requirement, self._finding(requirement), strict=self._strict)
        return _of_call(verdict, self._scenario, self._call)

    def _finding(self, requirement: Requirement) -> Finding | _Broken:
        if self._judging > JUDGING_SECONDS:
            return _Broken(TimeoutError(f"the checks before took over {JUDGING_SECONDS:g} s"))
        began = self._clock.now()
        try:
            if (unmet := self.unmet(requirement)) is not None:
                return unmet
            self.timeline.may_look = self.timeline.looked + MOST_LOOKS
            finding = cast("Check", requirement.check)(self.timeline)
        except Exception as error:  # our failure, and reported as such
            return _Broken(error)
        finally:
            self.timeline.may_look = float("inf")
            self._judging += self._clock.now() - began
        if isinstance(finding, Violation) and (impaired := impairment_behind(requirement, self.timeline)):
            return NotApplicable(impaired)
        if requirement.timing and isinstance(finding, Violation | Observation) and (late := self.lateness()):
            # A number within its limit is all that is lost.
            return Inconclusive(late, Level.OBSERVE if isinstance(finding, Observation) else None)
        if isinstance(finding, Violation) and requirement.is_in_time(finding) and (still := self.stalled()):
            return Inconclusive(still)
        return finding

    def stalled(self) -> str | None:
        """Why what did not come in time says nothing: we stood still ourselves, or the fake did.

        Or fell behind by as much, little by little.
        """
        stalls = self.timeline.all(Stalled, side=None)
        total = {side: sum(s.seconds for s in stalls if s.side == side) for side in ("caller", "upstream")}
        for measured in self.timeline.all(PacingMeasured, side=None):
            total[measured.side] = max(total[measured.side], measured.max / 1000)
        side, seconds = max(total.items(), key=lambda each: each[1])
        if seconds < limit(self._limits, "stalled_s"):
            return None
        whose = "our own end" if side == "caller" else "the fake"
        return (
            f"{whose} stood still for {seconds:.1f} s of this call: this machine is too busy to tell what "
            "came too late; run fewer calls side by side"
        )

    def _own_failure(self, area: str) -> HarnessFailed | None:
        """How we broke, where we did so before the area was decided."""
        failed = self.timeline.first(HarnessFailed, side=None)
        if failed is None:
            return None
        decided = _decided_at(self.timeline, area)
        return failed if decided is None or decided > failed.at else None

    def lateness(self) -> str | None:
        """Why the call cannot be timed: our own sender was late, or, where we know of it, the fake's."""
        p99, most = limit(self._limits, "lateness_p99_ms"), limit(self._limits, "lateness_max_ms")
        measured = self.timeline.all(PacingMeasured, side=None)
        late = max((m for m in measured if m.p99 > p99 or m.max > most), key=lambda m: m.max, default=None)
        if late is None:
            return None
        whose = "our own" if late.side == "caller" else "the fake's"
        return (
            f"{whose} sender was late by {late.p99:.0f} ms (p99), {late.max:.0f} ms at most: "
            "this machine is too busy to time the call; run fewer calls side by side"
        )


class _Broken:
    """A check raised."""

    def __init__(self, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
        self.explanation = f"the check itself broke{where}: {type(error).__name__}: {error}"


def ruled(requirement: Requirement, finding: Finding | _Broken, *, strict: bool) -> Verdict:
    """What a finding means for its requirement, without the call's name."""
    rid, level = requirement.id, requirement.level
    match finding:
        case None:
            return Verdict(rid, level, Outcome.PASSED)
        case NotApplicable(reason):
            return Verdict(rid, level, Outcome.NOT_APPLICABLE, explanation=reason)
        case Inconclusive(reason):
            return Verdict(rid, finding.level or level, Outcome.INCONCLUSIVE, explanation=reason)
        case Observation():
            return Verdict(
                rid, level, Outcome.OBSERVED, explanation=_measured(finding), evidence=finding.evidence,
                observation=finding,
            )  # fmt: skip
        case Violation():
            return _violated(requirement, finding, strict=strict)
        case _Broken():
            return Verdict(rid, level, Outcome.ERROR, explanation=finding.explanation)


def _broke(requirement: Requirement, failed: HarnessFailed) -> Verdict:
    return Verdict(
        requirement.id,
        requirement.level,
        Outcome.ERROR,
        explanation=how_we_broke(failed),
        evidence=(Evidence(failed.at, "the harness broke"),),
    )


def blocked(requirement: Requirement, root: Verdict) -> Verdict:
    """The verdict on what lies behind a failed requirement."""
    return Verdict(
        requirement.id,
        requirement.level,
        Outcome.BLOCKED,
        explanation=f"{root.id} failed ({root.cause}), and this needs it",
        root=root.id,
    )


def _violated(requirement: Requirement, violation: Violation, *, strict: bool) -> Verdict:
    for named in (violation.cause, *(other.cause for other in violation.alternatives)):
        if named not in requirement.causes:
            undeclared = f"the check found {named!r}, a cause that {requirement.id} does not declare"
            return Verdict(requirement.id, requirement.level, Outcome.ERROR, explanation=undeclared)
    cause = requirement.causes[violation.cause]
    # A requirement that only observes is violated where a limit was configured: that makes it binding.
    own = Level.MUST if requirement.level == Level.OBSERVE else requirement.level
    level = violation.level or cause.level or own
    explanation = f"{cause.what}: {violation.seen}"
    for other in violation.alternatives:
        explanation += f"; or else {other.cause}: {other.because}"
    return Verdict(
        requirement.id,
        level,
        Outcome.FAILED if level == Level.MUST or strict else Outcome.WARNED,
        cause=violation.cause,
        explanation=explanation,
        fix=cause.fix,
        evidence=violation.evidence,
        alternatives=tuple(
            replace(other, fix=requirement.causes[other.cause].fix) for other in violation.alternatives
        ),
    )


def _over_calls(requirement: Requirement, calls: Sequence[CallJudge], *, strict: bool) -> Verdict:
    """Judged over the calls to which it applies and on which its needs hold."""
    roots = [root for call in calls if (root := call.root(requirement)) is not None]
    standing = [call for call in calls if call.root(requirement) is None]
    if roots and not standing:
        return blocked(requirement, roots[0])
    reasons = [call.unmet(requirement) for call in standing]
    timelines = [call.timeline for call, reason in zip(standing, reasons, strict=True) if reason is None]
    finding: Finding | _Broken
    if not timelines:
        finding = next((r for r in reasons if r is not None), NotApplicable("there were no calls"))
    else:
        try:
            finding = cast("CallsCheck", requirement.check)(timelines)
        except Exception as error:
            finding = _Broken(error)
    return ruled(requirement, finding, strict=strict)


def _not_placed(withheld: CallWithheld) -> str:
    return f"the call was not placed: {withheld.reason}"


def _cannot(unavailable: VerbUnavailable) -> str:
    return f"a {unavailable.caller} caller cannot {unavailable.verb}: {unavailable.reason}"


def _decided_at(timeline: Timeline, area: str) -> float | None:
    """When nothing that follows can change the area's verdicts; None where that was not reached."""
    if area == "signaling":
        ends = [*timeline.all(HttpResponse), *timeline.all(HttpFailed)]
        return max((e.at for e in ends), default=None)
    if area == "connectivity":
        opened = timeline.state("channel", "open")
        return opened.at if opened else None
    ended = timeline.last(CallEnded)
    return ended.at if ended else None


def _measured(observation: Observation) -> str:
    if observation.seen:
        return observation.seen
    values = ", ".join(f"{v:g}" for v in observation.values[:8])
    more = "" if len(observation.values) <= 8 else f", … ({len(observation.values)} in all)"
    return f"{values}{more} {observation.unit}".strip() if observation.values else "nothing was measured"


def _of_call(verdict: Verdict, scenario: str, call: str) -> Verdict:
    return replace(verdict, scenario=scenario, call=call)
