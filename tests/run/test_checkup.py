import pytest

from harness.core.events import AnswerReceived, HarnessFailed, HttpResponse, OfferCreated, PacketsReceived
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.judging import judge
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.checkup import State, checkup
from harness.run.checkup_stages import STAGES
from tests.requirements.websocket_cases import healthy_socket
from tests.support.editing import a, changed, told, without
from tests.support.timelines import healthy_call, healthy_events, timeline_of

OF_SOCKETS = ("WebSocket asked for", "WebSocket open")
NAMES = [stage.name for stage in STAGES if stage.name not in OF_SOCKETS]


def test_a_healthy_call_reaches_every_stage_in_order_with_its_times() -> None:
    checks = checkup(healthy_call())
    assert [check.name for check in checks] == NAMES
    assert {check.state for check in checks} == {State.REACHED}
    moments = [check.at for check in checks if check.at is not None]
    assert moments == sorted(moments)
    by_name = {check.name: check for check in checks}
    assert by_name["answer received"].took == pytest.approx(0.09)
    assert by_name["ICE connected"].took == pytest.approx(0.0499, abs=1e-3)
    assert by_name["candidates gathered"].detail == "host"
    assert by_name["session created"].detail == "gpt-realtime-2.1, voice alloy, server_vad"


def test_a_call_over_a_websocket_has_stages_of_its_own() -> None:
    checks = checkup(Timeline(healthy_socket()))
    assert [check.name for check in checks] == [*OF_SOCKETS, *NAMES[NAMES.index("session created") :]]
    assert {check.state for check in checks} == {State.REACHED}
    assert {check.name: check.detail for check in checks}["WebSocket open"] == "status 101"


def test_while_a_call_is_made_stages_are_reached_one_by_one_and_one_is_under_way() -> None:
    whole = list(healthy_call())
    before: set[str] = set()
    for length in range(1, len(whole)):
        checks = checkup(Timeline(whole[:length]))
        reached = {check.name for check in checks if check.at is not None}
        assert before <= reached
        before = reached
        states = [check.state for check in checks]
        assert set(states) <= {State.REACHED, State.UNDER_WAY, State.WAITING}
        assert states.count(State.UNDER_WAY) == 1
    assert before == set(NAMES[:-1])


def test_what_a_requirement_finds_is_shown_at_its_stage_and_what_lies_behind_was_not_reached() -> None:
    events = told(
        without(healthy_events("black-box"), a(PacketsReceived)),
        "response.done",
        lambda event: event["response"].update(status="failed"),
    )
    timeline = timeline_of(events)
    verdicts = judge([timeline], REGISTRY)
    assert any(v.outcome == Outcome.FAILED for v in verdicts)
    by_name = {check.name: check for check in checkup(timeline, verdicts)}
    assert by_name["reply done"].state == State.FAILED
    assert by_name["reply done"].detail == "turns.response-completes: response-failed"
    assert by_name["first audio"].state == State.NOT_REACHED
    assert by_name["turn detected"].state == State.REACHED


def test_an_answer_without_a_data_channel_is_no_answer_with_one() -> None:
    events = changed(
        healthy_events("black-box"),
        a(AnswerReceived),
        sdp=lambda sdp: sdp.replace("m=application 9", "m=application 0"),
    )
    by_name = {check.name: check for check in checkup(timeline_of(events))}
    assert by_name["answer received"].state == State.REACHED
    assert by_name["answer has data channel"].state == State.NOT_REACHED


def test_our_own_failure_is_not_shown_as_the_relays() -> None:
    timeline = timeline_of([*healthy_events()[:3], HarnessFailed(at=0.02, error="our own")])
    states = {check.state for check in checkup(timeline, judge([timeline], REGISTRY))}
    assert State.UNCLEAR in states
    assert State.FAILED not in states


def test_every_stage_that_a_requirement_can_be_about_is_shown() -> None:
    assert {stage for shown in STAGES for stage in shown.covers} == set(CallStage)


def test_every_requirement_of_ours_says_what_stage_it_is_about() -> None:
    silent = {r.id for r in REGISTRY if r.stage is CallStage.CALL and r.area != "cost"}
    assert silent == set()


def test_what_the_fake_would_have_shown_is_shown_with_the_answer_of_a_black_box() -> None:
    timeline = timeline_of(healthy_events("black-box"))
    requirement = REGISTRY.get("signaling.offer-reaches-upstream")
    failed = Verdict(requirement.id, requirement.level, Outcome.FAILED, cause="never-arrived")
    shown = {check.name: check.state for check in checkup(timeline, [failed])}
    assert "arrived at the fake" not in shown
    assert shown["answer received"] == State.FAILED


def test_nothing_is_said_of_what_did_not_happen() -> None:
    events = without(healthy_events("black-box"), a(OfferCreated), a(HttpResponse))
    assert all(check.at is not None or not check.detail for check in checkup(timeline_of(events)))
