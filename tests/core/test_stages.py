from __future__ import annotations

import pytest

from harness.core.events import HttpResponse, ServerEvent, StateChanged
from harness.core.stages import STAGE_NAMES, durations, stages
from harness.core.timeline import Timeline
from tests.support.editing import a, without
from tests.support.timelines import a_turn, healthy_call, healthy_events, signaling, timeline_of


def test_each_stage_of_a_healthy_call_is_measured() -> None:
    found = {s.name: s.seconds for s in stages(healthy_call())}
    assert found == {
        "gathering": pytest.approx(0.03),
        "answer": pytest.approx(0.09),
        "ice": pytest.approx(0.05, abs=0.001),
        "dtls": pytest.approx(0.05),
        "channel": pytest.approx(0.1),
        "session": pytest.approx(0.05),
        "set-up": pytest.approx(0.29),
        "session-update": pytest.approx(0.06),
        "turn-detected": pytest.approx(0.55),
        "first-audio": pytest.approx(0.9),
        "turn": pytest.approx(3.88),
    }


def test_stages_come_in_the_order_of_a_call() -> None:
    assert [s.name for s in stages(healthy_call())] == list(STAGE_NAMES)


def test_a_turns_stages_occur_once_for_each_utterance() -> None:
    timeline = timeline_of([*healthy_events(end=16.0), *a_turn(9.0, 2, latency=1.2, sequence=400)])
    assert durations(timeline)["first-audio"] == pytest.approx([0.9, 1.2])
    assert len(durations(timeline)["turn"]) == 2


def test_a_stage_that_never_ended_has_no_duration() -> None:
    """Null, not 0 ms."""
    timeline = timeline_of(without(healthy_events(), a(StateChanged, layer="channel", state="open")))
    found = {s.name: s.seconds for s in stages(timeline)}
    assert found["channel"] is None
    assert found["set-up"] is None
    assert "channel" not in durations(timeline)


def test_a_stage_that_never_began_is_left_out() -> None:
    timeline = timeline_of(without(healthy_events(), a(HttpResponse, side="caller"), a(ServerEvent)))
    names = {s.name for s in stages(timeline)}
    assert "answer" in names
    assert "session-update" in names
    assert "dtls" in names
    assert stages(Timeline()) == []


def test_a_probe_is_no_stage_of_a_call() -> None:
    assert "answer" not in durations(timeline_of(signaling(purpose="bad-offer")))
