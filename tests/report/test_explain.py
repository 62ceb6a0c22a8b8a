from __future__ import annotations

from dataclasses import replace

from harness.report.explain import explain, root_causes, summary
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


def test_what_broke_on_our_side_is_no_finding_about_a_requirement() -> None:
    broke = [
        replace(verdict(rid, Outcome.ERROR), call="1", explanation="the harness broke: no space left")
        for rid in ("token.minted", "page.stays")
    ]
    (found,) = root_causes(broke)
    assert summary(found).splitlines() == [
        "not judged: token.minted",
        "  why   the harness broke: no space left",
        "  fix   do it",
        "  also  page.stays",
        "  hits  1 of 1 call",
        "  calls first",
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


def test_what_broke_is_one_finding_whatever_it_kept_from_a_verdict() -> None:
    broke = [
        replace(verdict(f"a.r{n}", Outcome.ERROR, None, "first"), explanation="the browser died")
        for n in range(8)
    ]
    other = replace(verdict("a.other", Outcome.ERROR, None, "first"), explanation="another reason")
    failed = [
        replace(verdict(f"b.r{n}", Outcome.FAILED, "x"), explanation="the same words") for n in range(2)
    ]
    untold = replace(verdict("a.untold", Outcome.INCONCLUSIVE, None), explanation="the browser died")
    found = root_causes([*broke, other, *failed, untold])
    assert [f.verdict.id for f in found] == ["a.r0", "a.other", "b.r0", "b.r1"]
    assert found[0].also == (*(f"a.r{n}" for n in range(1, 8)), "a.untold")
    assert "  also  a.r1, a.r2, a.r3, a.r4 and 4 more\n" in summary(found[0])
    assert "also" not in summary(found[1])
    entries = [entry for each in found for entry in each.as_results()]
    assert sorted(str(e["id"]) for e in entries) == sorted(v.id for v in (*broke, other, *failed, untold))
