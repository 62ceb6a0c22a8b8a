from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.events import (
    CallStarted,
    CallWithheld,
    ChannelSilenced,
    Event,
    MicrophoneRefused,
    StepEnded,
)
from harness.core.timeline import Timeline
from harness.requirements.model import Level, Outcome, Verdict
from harness.run.model import CallEntry, Run, RunVerdict


def run_of(*outcomes: Outcome, unreachable: str = "") -> Run:
    verdicts = tuple(Verdict(f"a.r{i}", Level.MUST, outcome) for i, outcome in enumerate(outcomes))
    return Run("http://127.0.0.1:1/", "json", "embedded", 1, "2026-01-01", (), verdicts, unreachable)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((Outcome.PASSED, Outcome.NOT_APPLICABLE, Outcome.OBSERVED), RunVerdict.CONFORMING),
        ((Outcome.PASSED, Outcome.WARNED), RunVerdict.CONFORMING),
        ((Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE), RunVerdict.VIOLATING),
        ((Outcome.PASSED, Outcome.INCONCLUSIVE), RunVerdict.INCONCLUSIVE),
        ((Outcome.PASSED, Outcome.ERROR), RunVerdict.INCONCLUSIVE),
        ((Outcome.NOT_APPLICABLE,), RunVerdict.INCONCLUSIVE),
        ((), RunVerdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_follows_from_the_outcomes(outcomes: tuple[Outcome, ...], expected: RunVerdict) -> None:
    assert run_of(*outcomes).verdict == expected


def test_a_run_with_calls_that_were_not_placed_is_not_called_conforming() -> None:
    timeline = Timeline([CallStarted(at=0, call="2"), CallWithheld(at=0, reason="the budget is spent")])
    run = replace(run_of(Outcome.PASSED), calls=(CallEntry("2", "second", timeline),))
    assert run.verdict == RunVerdict.INCONCLUSIVE
    assert replace(run, verdicts=run_of(Outcome.FAILED).verdicts).verdict == RunVerdict.VIOLATING


@pytest.mark.parametrize(
    ("outcome", "beside", "expected"),
    [
        (Outcome.PASSED, (), RunVerdict.INCONCLUSIVE),
        (Outcome.WARNED, (), RunVerdict.INCONCLUSIVE),
        (Outcome.FAILED, (), RunVerdict.VIOLATING),
        (Outcome.PASSED, (MicrophoneRefused(at=1, error="NotAllowedError"),), RunVerdict.CONFORMING),
        (Outcome.PASSED, (ChannelSilenced(at=1),), RunVerdict.CONFORMING),
    ],
)
def test_a_call_that_never_began_is_not_conforming_where_nothing_says_why(
    outcome: Outcome, beside: tuple[Event, ...], expected: RunVerdict
) -> None:
    failed = StepEnded(at=2, step="connect", failed="the data channel did not open")
    timeline = Timeline([CallStarted(at=0, call="1"), *beside, failed])
    verdicts = (Verdict("a.r", Level.MUST, outcome, call="1"),)
    run = replace(run_of(), calls=(CallEntry("1", "first", timeline),), verdicts=verdicts)
    assert run.verdict == expected
    told = "call 1 was given up (the data channel did not open), and no binding rule says why"
    assert run.unexplained == ((told,) if expected == RunVerdict.INCONCLUSIVE else ())


def test_a_target_that_nobody_answers_at_is_unreachable_whatever_else_was_judged() -> None:
    assert run_of(Outcome.FAILED, unreachable="refused").verdict == RunVerdict.UNREACHABLE


@pytest.mark.parametrize(
    ("strict", "expected"), [(False, RunVerdict.CONFORMING), (True, RunVerdict.INCONCLUSIVE)]
)
def test_doubt_about_a_should_is_no_worse_than_its_violation(strict: bool, expected: RunVerdict) -> None:
    doubted = Verdict("audio.clean", Level.SHOULD, Outcome.INCONCLUSIVE)
    run = replace(run_of(Outcome.PASSED), strict=strict)
    assert replace(run, verdicts=(*run.verdicts, doubted)).verdict == expected


def test_doubt_alone_is_not_conforming() -> None:
    doubted = Verdict("audio.clean", Level.SHOULD, Outcome.INCONCLUSIVE)
    assert replace(run_of(), verdicts=(doubted,)).verdict == RunVerdict.INCONCLUSIVE


def test_an_observation_that_could_not_be_made_leaves_the_verdict_alone() -> None:
    lost = Verdict("turns.latency", Level.OBSERVE, Outcome.INCONCLUSIVE)
    kept = Verdict("a.r", Level.MUST, Outcome.PASSED)
    run = Run("http://127.0.0.1:1/", "json", "embedded", 1, "2026-01-01", (), (lost, kept))
    assert run.verdict == RunVerdict.CONFORMING
