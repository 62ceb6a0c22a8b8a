from __future__ import annotations

from dataclasses import replace

from harness.report.explain import explain, root_causes
from harness.requirements.model import Alternative, Evidence, Level, Outcome, Verdict


def verdict(rid: str, outcome: Outcome, cause: str | None = None, scenario: str = "first") -> Verdict:
    return Verdict(
        rid, Level.MUST, outcome, cause=cause, scenario=scenario, explanation="because", fix="do it"
    )


def test_a_failure_says_rule_reason_evidence_and_fix() -> None:
    failed = Verdict(
        "signaling.answer-is-sdp",
        Level.MUST,
        Outcome.FAILED,
        cause="html-page",
        explanation="the relay answered with a web page",
        fix="serve the route",
        evidence=(Evidence(0.2121, "the body begins with <!doctype html>"),),
    )
    assert explain(failed, "The answer must be SDP").splitlines() == [
        "signaling.answer-is-sdp: html-page",
        "  rule  The answer must be SDP (MUST)",
        "  why   the relay answered with a web page",
        "  seen  0.212 s: the body begins with <!doctype html>",
        "  fix   serve the route",
    ]


def test_other_explanations_come_with_their_own_fix_in_their_rank() -> None:
    others = (Alternative("udp-blocked", "a firewall", "open UDP"), Alternative("asleep", "night", "wake it"))
    failed = replace(verdict("a.b", Outcome.FAILED, "silent"), alternatives=others)
    assert explain(failed).splitlines()[-3:] == [
        "  fix   do it",
        "  or    if it is udp-blocked: open UDP",
        "  or    if it is asleep: wake it",
    ]


def test_one_cause_in_many_calls_is_one_finding() -> None:
    found = root_causes(
        [
            verdict("a.b", Outcome.FAILED, "x", "first"),
            verdict("a.b", Outcome.FAILED, "x", "second"),
            verdict("a.b", Outcome.FAILED, "y", "third"),
        ]
    )
    assert [(f.verdict.cause, f.scenarios) for f in found] == [("x", ("first", "second")), ("y", ("third",))]


def test_our_own_errors_come_before_failures_and_failures_before_warnings() -> None:
    found = root_causes(
        [
            verdict("a.w", Outcome.WARNED, "w"),
            verdict("a.f", Outcome.FAILED, "f"),
            verdict("a.e", Outcome.ERROR),
            verdict("a.p", Outcome.PASSED),
            verdict("a.b", Outcome.BLOCKED),
        ]
    )
    assert [f.verdict.id for f in found] == ["a.e", "a.f", "a.w"]
