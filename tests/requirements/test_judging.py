from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.events import (
    CallEnded,
    HarnessFailed,
    HttpRequest,
    PacingMeasured,
    ServerEvent,
    UpstreamUnavailable,
)
from harness.core.timeline import Timeline
from harness.requirements import (
    REGISTRY,
    Alternative,
    Because,
    Cause,
    Evidence,
    Inconclusive,
    Level,
    NotApplicable,
    Observation,
    Outcome,
    Registry,
    Severity,
    Source,
    Verdict,
    Violation,
    judge,
)
from harness.requirements.model import Condition, Finding, Requirement
from tests.requirements.cases import CASES, Case
from tests.requirements.probed import RECONNECTING
from tests.requirements.test_causes import FOUND
from tests.support.editing import a, changed, until
from tests.support.timelines import (
    OFFER,
    Mode,
    call_started,
    ending,
    healthy_call,
    healthy_events,
    timeline_of,
)

SOURCE = Source("RFC 0", "nothing")
CAUSES = {
    "broken": Cause("it is broken", "fix it"),
    "odd": Cause("it is odd", "look at it", level=Level.SHOULD),
}


def requirement(
    finding: Finding | Exception,
    *,
    level: Level = Level.MUST,
    timing: bool = False,
    when: tuple[Condition, ...] = (),
) -> Requirement:
    """A requirement that always finds the same."""
    registry = Registry()

    @registry.requirement(
        "area.slug",
        "A title",
        level=level,
        because={Level.MUST: Because.CLAUSE, Level.SHOULD: Because.ADVICE}.get(level, Because.MEASURED),
        severity=Severity.NORMAL,
        source=SOURCE,
        causes=CAUSES,
        timing=timing,
        when=when,
    )
    def check(timeline: Timeline) -> Finding:
        if isinstance(finding, Exception):
            raise finding
        return finding

    return registry.get("area.slug")


def judged(finding: Finding | Exception, *, strict: bool = False, level: Level = Level.MUST) -> Verdict:
    (verdict,) = judge([timeline_of([call_started()])], [requirement(finding, level=level)], strict=strict)
    return verdict


# --- the healthy call ---


@pytest.mark.parametrize("mode", ["embedded", "grey-box", "black-box"])
def test_a_healthy_call_passes_everything_that_applies(mode: Mode) -> None:
    verdicts = judge([healthy_call(mode)], REGISTRY, strict=True)
    allowed = {Outcome.PASSED, Outcome.OBSERVED, Outcome.NOT_APPLICABLE}
    assert [v for v in verdicts if v.outcome not in allowed] == []


def test_a_healthy_call_seen_from_both_ends_leaves_only_probes_out() -> None:
    verdicts = judge([healthy_call()], REGISTRY)
    assert {v.id for v in verdicts if v.outcome == Outcome.NOT_APPLICABLE} == {
        "lifecycle.calls-per-caller",
        "lifecycle.time-limit-kept",
        "signaling.preflight",
        "signaling.upstream-failure-reported",
        "signaling.bad-offer-refused",
        "session.large-update",
        "session.error-reported",
        "turns.no-turn-when-muted",
        "turns.tool-calls",
        "turns.tools-answered",
        "turns.remote-tools",
        "turns.transcription-succeeds",
        "lifecycle.abandoned-offer-released",
        "lifecycle.session-expiry",
        *RECONNECTING,
        "security.auth-required",
        "security.foreign-origin-refused",
        "security.ice-credentials-guarded",
        "security.session-not-injectable",
        "security.choices-bounded",
        "cost.usage-agrees",
        *(r.id for r in REGISTRY if r.area in ("websocket", "gateway", "page", "token", "whip")),
    }


def test_what_needs_the_upstreams_view_is_not_passed_silently() -> None:
    verdicts = {v.id: v for v in judge([healthy_call("black-box")], REGISTRY)}
    for name in ("signaling.offer-forwarded-intact", "lifecycle.hang-up-releases-call"):
        assert verdicts[name].outcome == Outcome.NOT_APPLICABLE
        assert "--fake-openai" in verdicts[name].explanation


def test_a_fake_that_cannot_be_asked_leaves_it_open() -> None:
    events = [e for e in healthy_events("grey-box") if e.side == "caller"]
    events.append(UpstreamUnavailable(at=9.0, reason="connection refused"))
    verdicts = {v.id: v for v in judge([timeline_of(events)], REGISTRY)}
    assert verdicts["signaling.offer-forwarded-intact"].outcome == Outcome.INCONCLUSIVE
    assert verdicts["lifecycle.hang-up-releases-call"].outcome == Outcome.INCONCLUSIVE
    assert verdicts["signaling.offer-accepted"].outcome == Outcome.PASSED


@pytest.mark.parametrize(
    ("credentials", "outcome"),
    [("Bearer ek_[redacted]", Outcome.NOT_APPLICABLE), ("Bearer [redacted]", Outcome.INCONCLUSIVE)],
)
def test_a_bare_offer_upstream_may_have_its_session_in_the_key(credentials: str, outcome: Outcome) -> None:
    headers = (("content-type", "application/sdp"), ("authorization", credentials))
    bare = changed(healthy_events(), a(HttpRequest, side="upstream"), parts=(), body=OFFER, headers=headers)
    (verdict,) = judge([timeline_of(bare)], REGISTRY.select(ids=["signaling.session-forwarded"]))
    assert verdict.outcome == outcome


# --- outcomes ---


def test_each_finding_has_its_outcome() -> None:
    assert judged(None).outcome == Outcome.PASSED
    assert judged(NotApplicable("why")).outcome == Outcome.NOT_APPLICABLE
    assert judged(Inconclusive("why")).outcome == Outcome.INCONCLUSIVE
    assert judged(Observation("ms", (1.0,))).outcome == Outcome.OBSERVED
    assert judged(Violation("broken", "so")).outcome == Outcome.FAILED


def test_a_should_warns_and_fails_under_strict() -> None:
    assert judged(Violation("broken", "so"), level=Level.SHOULD).outcome == Outcome.WARNED
    assert judged(Violation("broken", "so"), level=Level.SHOULD, strict=True).outcome == Outcome.FAILED


def test_a_cause_may_bind_less_than_its_requirement() -> None:
    verdict = judged(Violation("odd", "so"))
    assert (verdict.outcome, verdict.level) == (Outcome.WARNED, Level.SHOULD)


def test_a_limit_makes_an_observation_binding() -> None:
    verdict = judged(Violation("broken", "so"), level=Level.OBSERVE)
    assert (verdict.outcome, verdict.level) == (Outcome.FAILED, Level.MUST)


def test_a_check_that_raises_is_our_failure() -> None:
    verdict = judged(KeyError("sdp"))
    assert verdict.outcome == Outcome.ERROR
    assert "KeyError: 'sdp'" in verdict.explanation
    assert verdict.cause is None


def test_a_cause_that_was_not_declared_is_our_failure() -> None:
    verdict = judged(Violation("unheard-of", "so"))
    assert verdict.outcome == Outcome.ERROR
    assert "unheard-of" in verdict.explanation


def test_an_alternative_explanation_is_told() -> None:
    verdict = judged(Violation("broken", "so", alternatives=(Alternative("odd", "it looks the same"),)))
    assert verdict.explanation == "it is broken: so; or else odd: it looks the same"
    assert verdict.alternatives[0].cause == "odd"
    assert verdict.alternatives[0].fix, "what would fix it, if it is that"


def test_an_alternative_that_was_not_declared_is_our_failure() -> None:
    verdict = judged(Violation("broken", "so", alternatives=(Alternative("unheard-of", "who knows"),)))
    assert verdict.outcome == Outcome.ERROR
    assert "unheard-of" in verdict.explanation


def test_a_condition_that_is_not_met_is_told() -> None:
    unmet = Condition("never", lambda _: NotApplicable("it never is"))
    (verdict,) = judge([healthy_call()], [requirement(Violation("broken", "so"), when=(unmet,))])
    assert (verdict.outcome, verdict.explanation) == (Outcome.NOT_APPLICABLE, "it never is")


def test_the_result_has_the_fields_of_the_contract() -> None:
    found = judged(Violation("broken", "so", (Evidence(0.2124, "answer"), Evidence(None, "all"))))
    assert json.loads(json.dumps(found.as_result())) == {
        "id": "area.slug",
        "level": "MUST",
        "outcome": "failed",
        "cause": "broken",
        "scenario": "first-turn",
        "call": "001-first-turn",
        "explanation": "it is broken: so",
        "fix": "fix it",
        "evidence": ["0.212 s: answer", "all"],
    }


# --- our own failures and lateness ---


def test_a_slow_machine_cannot_blame_the_target() -> None:
    late = changed(healthy_events(latency_ms=100), a(PacingMeasured), p99=90.0, max=400.0)
    verdicts = {v.id: v for v in judge([timeline_of(late)], REGISTRY)}
    assert verdicts["turns.latency"].outcome == Outcome.INCONCLUSIVE
    assert "90 ms" in verdicts["turns.latency"].explanation
    assert verdicts["turns.boundaries"].outcome == Outcome.PASSED
    assert verdicts["audio.comes-back"].outcome == Outcome.PASSED


def test_a_fake_that_was_late_itself_is_not_blamed_on_the_target() -> None:
    late = PacingMeasured(at=7.9, side="upstream", packets=400, p50=1.0, p99=20.0, max=400.0)
    (verdict,) = judge(
        [timeline_of([*healthy_events(latency_ms=100), late])], REGISTRY.select(ids=["turns.latency"])
    )
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "the fake's sender was late by 20 ms (p99), 400 ms at most" in verdict.explanation


def test_a_late_sender_is_no_excuse_for_what_time_does_not_touch() -> None:
    (verdict,) = judge(
        [timeline_of([call_started(), PacingMeasured(at=1, packets=9, p50=99, p99=99, max=999)])],
        [requirement(Violation("broken", "so"))],
    )
    assert verdict.outcome == Outcome.FAILED


def broken_at(moment: float) -> Timeline:
    events = [e for e in healthy_events() if e.at < moment]
    return timeline_of(
        [*events, HarnessFailed(at=moment, error="KeyError: 'x'", where="caller.py:9"), *ending(moment + 0.1)]
    )


def test_what_lies_after_our_own_failure_is_an_error_of_ours() -> None:
    verdicts = {v.id: v for v in judge([broken_at(0.3)], REGISTRY)}
    assert verdicts["signaling.answer-is-sdp"].outcome == Outcome.PASSED
    assert verdicts["connectivity.data-channel-opens"].outcome == Outcome.ERROR
    assert verdicts["turns.no-turn-on-silence"].outcome == Outcome.ERROR
    broke = verdicts["session.created"]
    assert broke.explanation == "the harness broke in caller.py:9: KeyError: 'x'"
    assert [quote.at for quote in broke.evidence] == [0.3]
    assert not [v for v in verdicts.values() if v.outcome in FOUND]


def test_a_failure_of_ours_before_the_answer_spares_the_relay() -> None:
    verdicts = judge([broken_at(0.1)], REGISTRY)
    assert {v.outcome for v in verdicts if v.id.startswith("signaling.")} == {Outcome.ERROR}


def test_a_target_that_failed_before_we_did_stays_the_root() -> None:
    case = next(c for c in CASES if c.name == "no_data_section")
    (timeline,) = case.calls()
    timeline.append(HarnessFailed(at=0.9, error="boom"))
    verdicts = {v.id: v for v in judge([timeline], REGISTRY)}
    assert verdicts["signaling.answer-has-data-channel"].outcome == Outcome.FAILED
    assert verdicts["session.created"].outcome == Outcome.BLOCKED


# --- blocking and selection ---


def test_a_blocked_requirement_names_its_root() -> None:
    case = next(c for c in CASES if c.name == "final_newline_trimmed")
    verdicts = {v.id: v for v in judge(case.calls(), REGISTRY)}
    assert verdicts["audio.intelligible"].root == "signaling.offer-forwarded-intact"
    assert "offer-trimmed" in verdicts["audio.intelligible"].explanation


def test_a_need_that_is_not_asked_for_still_blocks() -> None:
    case = next(c for c in CASES if c.name == "final_newline_trimmed")
    (verdict,) = judge(case.calls(), REGISTRY.select(ids=["session.created"]))
    assert (verdict.id, verdict.outcome) == ("session.created", Outcome.BLOCKED)


def test_what_does_not_apply_does_not_block() -> None:
    """In black box no offer is seen upstream, and the call is judged all the same."""
    verdicts = {v.id: v for v in judge([healthy_call("black-box")], REGISTRY)}
    assert verdicts["signaling.offer-accepted"].outcome == Outcome.PASSED


def test_a_call_blocked_for_a_run_is_left_out_and_the_others_count() -> None:
    (broken,) = next(c for c in CASES if c.name == "no_data_section").calls()
    (verdict,) = judge([broken, healthy_call()], REGISTRY.select(ids=["cost.per-run"]))
    assert verdict.outcome == Outcome.OBSERVED
    (verdict,) = judge([broken], REGISTRY.select(ids=["cost.per-run"]))
    assert verdict.outcome == Outcome.BLOCKED
    assert (verdict.call, verdict.root) == ("", "signaling.answer-has-data-channel")


def test_no_calls_are_no_verdict_on_a_run() -> None:
    (verdict,) = judge([], REGISTRY.select(ids=["cost.per-run"]))
    assert verdict.outcome == Outcome.NOT_APPLICABLE


# --- purity ---


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_saved_timeline_is_judged_as_the_call_was(case: Case) -> None:
    calls = case.calls()
    saved = [Timeline.from_jsonl(call.to_jsonl()) for call in calls]
    outcomes = [(v.id, v.outcome, v.cause, v.fix) for v in judge(calls, REGISTRY)]
    assert [(v.id, v.outcome, v.cause, v.fix) for v in judge(saved, REGISTRY)] == outcomes


@given(seed=st.integers(0, 10_000), case=st.sampled_from(CASES))
def test_verdicts_do_not_depend_on_the_order_of_requirements(seed: int, case: Case) -> None:
    shuffled = list(REGISTRY)
    random.Random(seed).shuffle(shuffled)
    calls = case.calls()
    straight = {v.id: v for v in judge(calls, REGISTRY)}
    assert {v.id: v for v in judge(calls, shuffled)} == straight


def test_judging_changes_nothing_and_repeats_itself() -> None:
    timeline = healthy_call()
    before = timeline.to_jsonl()
    assert judge([timeline], REGISTRY) == judge([timeline], REGISTRY)
    assert timeline.to_jsonl() == before


@given(cut=st.floats(0.0, 8.2))
def test_a_call_cut_short_is_never_blamed_on_the_target(cut: float) -> None:
    """Whoever hangs up early has seen too little; a healthy call has no fault to find at any moment."""
    verdicts = judge([timeline_of(until(healthy_events(), cut, max(cut, 0.05)))], REGISTRY)
    blamed = [v for v in verdicts if v.outcome in (*FOUND, Outcome.ERROR)]
    assert blamed == []


@given(st.data())
def test_no_loss_of_events_breaks_a_check(data: st.DataObject) -> None:
    """Whatever a record lacks, each check still ends in a verdict of its own."""
    events = healthy_events()
    kept = data.draw(st.lists(st.sampled_from(range(len(events))), unique=True))
    verdicts = judge([timeline_of(events[i] for i in sorted(kept))], REGISTRY)
    assert [v for v in verdicts if v.outcome == Outcome.ERROR] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 99999) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_no_field_of_an_event_breaks_a_check(data: st.DataObject) -> None:
    """Servers send what they like; a check that trusts a field would blame our own code."""
    events = healthy_events()
    target = data.draw(st.sampled_from([i for i, e in enumerate(events) if isinstance(e, ServerEvent)]))
    event = events[target]
    assert isinstance(event, ServerEvent)
    assert event.event is not None
    name = data.draw(st.sampled_from(sorted(event.event)))
    events[target] = ServerEvent(at=event.at, event={**event.event, name: data.draw(json_values)})
    verdicts = judge([timeline_of(events)], REGISTRY)
    assert [v for v in verdicts if v.outcome == Outcome.ERROR] == []


def test_a_record_without_a_hang_up_step_ends_with_the_call() -> None:
    events = [e for e in healthy_events() if e.at < 8.0] + [CallEnded(at=8.0, reason="hung up")]
    verdicts = judge([timeline_of(events)], REGISTRY)
    assert not [v for v in verdicts if v.outcome in (*FOUND, Outcome.INCONCLUSIVE) and "hang-up" not in v.id]
