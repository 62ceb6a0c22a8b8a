"""Every cause is provoked by a timeline of its own, and by nothing else in it."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

import tests.requirements
from harness.requirements import REGISTRY, Level, Outcome, judge
from tests.requirements.cases import CASES, Case

for module in pkgutil.iter_modules(tests.requirements.__path__):
    if module.name.endswith("_cases"):
        import_module(f"tests.requirements.{module.name}")

FOUND = (Outcome.FAILED, Outcome.WARNED)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_cause_is_named_and_nothing_else_fails(case: Case) -> None:
    """A second finding would send the reader to two places for one mistake."""
    verdicts = judge(case.calls(), REGISTRY)
    found = {(v.id, v.cause) for v in verdicts if v.outcome in FOUND}
    assert found == {(case.requirement, case.cause)}
    assert not [v for v in verdicts if v.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_needs_a_failed_requirement_is_blocked(case: Case) -> None:
    """A warning blocks only what itself would warn: a binding rule is judged all the same."""
    failed = REGISTRY.get(case.requirement)
    verdicts = judge(case.calls(), REGISTRY)
    warned = any(v.id == failed.id and v.outcome == Outcome.WARNED for v in verdicts)
    behind = {failed.id}
    for requirement in REGISTRY if failed.causes[case.cause].blocks else ():
        bears = warned and requirement.level == Level.MUST
        if any(need.id in behind for need in requirement.needs) and not bears:
            behind.add(requirement.id)
    for verdict in verdicts:
        blocked = verdict.id in behind - {failed.id}
        assert (verdict.outcome == Outcome.BLOCKED) == blocked, verdict
        assert verdict.root == (failed.id if blocked else None)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_finding_says_what_happened_and_how_to_fix_it(case: Case) -> None:
    (verdict,) = [v for v in judge(case.calls(), REGISTRY) if v.outcome in FOUND]
    cause = REGISTRY.get(case.requirement).causes[case.cause]
    assert verdict.explanation.startswith(f"{cause.what}: ")
    assert len(verdict.explanation) > len(cause.what) + 4
    assert verdict.fix == cause.fix
    assert verdict.evidence, "a finding without a quotation from the timeline"
    assert all(e.text for e in verdict.evidence)


def test_every_cause_of_the_catalogue_is_provoked() -> None:
    """A cause that no case provokes may be one that can never be found."""
    declared = {(r.id, slug) for r in REGISTRY for slug in r.causes}
    provoked = {(case.requirement, case.cause) for case in CASES}
    assert declared == provoked


def test_every_cause_can_be_acted_on() -> None:
    for requirement in REGISTRY:
        for slug, cause in requirement.causes.items():
            assert len(cause.what) > 10, (requirement.id, slug)
            assert len(cause.fix) > 30, (requirement.id, slug)
            assert cause.what[0].islower() or cause.what.startswith(("OpenAI", "DTLS", "ICE", "UDP")), (
                cause.what
            )
            assert not cause.what.endswith("."), cause.what


def test_under_strict_what_would_warn_fails() -> None:
    for case in CASES:
        (verdict,) = [v for v in judge(case.calls(), REGISTRY, strict=True) if v.outcome in FOUND]
        assert verdict.outcome == Outcome.FAILED, case


def test_only_a_should_warns() -> None:
    for case in CASES:
        (verdict,) = [v for v in judge(case.calls(), REGISTRY) if v.outcome in FOUND]
        assert (verdict.outcome == Outcome.WARNED) == (verdict.level == Level.SHOULD), case
