from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.explain import by_urgency, heading, root_causes, summary
from harness.report.urgency import Urgency, urgency_of
from harness.requirements.model import Level, Outcome, Verdict

FAILED, WARNED, PASSED = Outcome.FAILED, Outcome.WARNED, Outcome.PASSED


def verdict(rid: str, outcome: Outcome = FAILED, cause: str | None = None, call: str = "1") -> Verdict:
    level = Level.SHOULD if outcome == WARNED else Level.MUST
    return Verdict(
        rid, level, outcome, cause=cause, scenario=f"s{call}", call=call, explanation="why", fix="how"
    )


@pytest.mark.parametrize(
    ("rid", "cause", "outcome", "urgency"),
    [
        ("audio.something-heard", "text-only-session", FAILED, Urgency.HURT),
        ("signaling.offer-accepted", "timeout", FAILED, Urgency.HURT),
        ("signaling.answer-line-endings", "no-final-newline", FAILED, Urgency.HURT),
        ("turns.latency", "too-slow", FAILED, Urgency.HURT),
        ("security.key-not-exposed", "key-exposed", FAILED, Urgency.LOSS),
        ("lifecycle.hang-up-releases-call", "call-leaked", FAILED, Urgency.LOSS),
        ("cost.per-call", "budget-exceeded", FAILED, Urgency.LOSS),
        ("signaling.answer-line-endings", "bare-line-feeds", FAILED, Urgency.HARDEN),
        ("signaling.bad-offer-refused", "bad-offer-crash", WARNED, Urgency.HARDEN),
        ("turns.latency", "too-slow", WARNED, Urgency.HARDEN),
        ("turns.latency", None, Outcome.INCONCLUSIVE, Urgency.UNTOLD),
        ("turns.latency", None, Outcome.ERROR, Urgency.OURS),
    ],
)
def test_a_finding_is_as_urgent_as_what_is_lost_by_it(
    rid: str, cause: str | None, outcome: Outcome, urgency: Urgency
) -> None:
    assert urgency_of(verdict(rid, outcome, cause)) == urgency


def test_a_should_that_fails_under_strict_hurts_nobody_more() -> None:
    strict = replace(verdict("signaling.bad-offer-refused", cause="bad-offer-crash"), level=Level.SHOULD)
    assert urgency_of(strict) == Urgency.HARDEN


def test_findings_come_the_worst_first_and_under_their_headings() -> None:
    found = root_causes(
        [
            verdict("signaling.bad-offer-refused", WARNED, "bad-offer-crash"),
            verdict("security.session-not-injectable", FAILED, "session-injected"),
            verdict("turns.interruption", FAILED, "barge-in-ignored"),
            verdict("audio.something-heard", FAILED, "text-only-session"),
        ]
    )
    grouped = [(heading(urgency, len(f)), [c.verdict.id for c in f]) for urgency, f in by_urgency(found)]
    assert grouped == [
        ("YOUR CALLERS ARE HURT TODAY (2)", ["audio.something-heard", "turns.interruption"]),
        ("YOUR MONEY OR YOUR SECRETS ARE AT RISK (1)", ["security.session-not-injectable"]),
        ("HARDEN THIS: NO CALLER IS LOST BY IT TODAY (1)", ["signaling.bad-offer-refused"]),
    ]


def test_of_two_that_are_as_grave_the_one_that_hits_more_calls_comes_first() -> None:
    twice = [verdict("turns.speech-ends", FAILED, "vad-never-ends", call) for call in ("1", "2")]
    once = [verdict("turns.interruption", FAILED, "barge-in-ignored")]
    assert [f.verdict.id for f in root_causes([*once, *twice])] == ["turns.speech-ends", "turns.interruption"]


def test_it_is_told_how_many_of_the_calls_that_were_judged_it_hits() -> None:
    rid = "audio.something-heard"
    verdicts = [
        verdict(rid, FAILED, "text-only-session", "1"),
        verdict(rid, FAILED, "text-only-session", "2"),
        verdict(rid, PASSED, None, "3"),
        verdict(rid, Outcome.NOT_APPLICABLE, None, "4"),
        verdict(rid, Outcome.BLOCKED, None, "5"),
    ]
    (found,) = root_causes(verdicts)
    assert found.hits == "2 of 3 calls"
    assert "\n  hits  2 of 3 calls\n" in summary(found)


def test_what_takes_more_than_an_ordinary_call_says_whom_it_hits() -> None:
    (found,) = root_causes([verdict("signaling.bad-offer-refused", WARNED, "bad-offer-crash")])
    assert found.hits == "whoever sends a malformed offer (1 of 1 call that tried it)"


def test_what_is_judged_over_all_calls_hits_the_run() -> None:
    (found,) = root_causes([verdict("cost.per-run", FAILED, "budget-exceeded", "")])
    assert found.hits == "the run as a whole"


def test_a_requirement_that_this_catalogue_does_not_have_is_taken_for_the_worst() -> None:
    assert urgency_of(verdict("other.rule", FAILED, "cause")) == Urgency.HURT


def test_the_summary_of_results_has_one_entry_for_each_finding() -> None:
    (found,) = root_causes([verdict("audio.something-heard", FAILED, "text-only-session")])
    assert found.as_results()[0] == {
        "urgency": "hurt",
        "id": "audio.something-heard",
        "cause": "text-only-session",
        "hits": "1 of 1 call",
    }
