from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from harness.core.errors import HarnessError
from harness.load.analysis.drift import Sample, SoakFindings, values_of
from harness.load.analysis.drift import as_json as soak_as_json
from harness.load.analysis.findings import CapacityFindings, as_json, plot
from harness.load.analysis.health import SUSTAINED, Health
from harness.load.analysis.lateness import Lateness
from harness.load.analysis.recorder import Recorder
from harness.load.analysis.slo import CountedWindow, SloValue, Window, read_slos
from harness.load.analysis.steps import LoadStep, enough
from harness.load.messages import GeneratorMeasured, Ready

TARGET = Ready(target="http://relay.test/offer", dialect="json", mode="black-box")
SLOS = read_slos(("DC open p95 < 1s", "failures < 10%"))


def step(calls: int, ms: float, *, failed: int = 0, late: float = 1.0, rows: int = 20) -> LoadStep:
    health = Health()
    for _ in range(SUSTAINED):
        health.add(GeneratorMeasured(at=0.0, calls=calls, cpu=0.2, pacing=(late,) * 50))
    window = Window(
        {"SDP POST": [20.0] * rows, "DC open": [ms] * rows, "first audio": [900.0] * rows}, 20, failed
    )
    failures = Counter({("SDP POST", "signaling.offer-accepted: overloaded"): failed} if failed else {})
    return LoadStep(calls, 30.0, window, health, SLOS, failures)


def findings(*steps: LoadStep, **fields: object) -> CapacityFindings:
    held = [s.calls for s in steps if s.outcome == "held"]
    broken = [s.calls for s in steps if s.outcome == "broken"]
    known = {
        "target": TARGET,
        "seed": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "slos": SLOS,
        "steps": steps,
        "holds": max(held, default=0),
        "breaks": min(broken, default=None),
        "most": 100,
    }
    return CapacityFindings(**{**known, **fields})  # type: ignore[arg-type]  # a table of all fields


def test_it_says_what_holds_what_breaks_why_and_which_stage_grew() -> None:
    found = findings(step(5, 100.0), step(15, 2500.0), step(10, 200.0))
    assert found.sentence == (
        "holds 10 calls; breaks at 15 because DC open p95 was 2.50 s, not below 1s; "
        "DC open grew most, from 100 ms at 5 calls to 2500 ms"
    )
    assert found.verdict == "holds"


def test_failures_that_break_it_are_named() -> None:
    found = findings(step(5, 100.0), step(15, 100.0, failed=7))
    assert (
        "failures was 35.0 %, not below 10% (7 times SDP POST: signaling.offer-accepted: overloaded)"
        in found.sentence
    )


@pytest.mark.parametrize(("ms", "outcome"), [(1080.0, "saturated"), (1095.0, "broken"), (900.0, "held")])
def test_an_objective_that_our_own_lateness_may_have_broken_is_not_held_against_the_target(
    ms: float, outcome: str
) -> None:
    """One late second is no saturation, and still moves a p95."""
    found = step(5, ms)
    found.health.add(GeneratorMeasured(at=0.0, calls=5, cpu=0.2, pacing=(90.0,) * 9))
    assert found.outcome == outcome
    if outcome == "saturated":
        assert found.because() == (
            "packets left 90 ms late at p99, 40 ms allowed, which may be all that put DC open p95 "
            "at 1.08 s, not below 1s"
        )


def test_failures_are_not_explained_by_our_lateness() -> None:
    found = step(5, 1080.0, failed=7)
    found.health.add(GeneratorMeasured(at=0.0, calls=5, cpu=0.2, pacing=(90.0,) * 9))
    assert found.outcome == "broken"


def test_a_late_generator_ends_the_search_without_blaming_the_target() -> None:
    found = findings(step(5, 100.0), step(15, 9000.0, late=90.0))
    assert found.verdict == "inconclusive"
    assert found.breaks is None
    assert "this machine can carry 5 calls on time" in found.sentence


def test_what_never_broke_holds_at_least_that() -> None:
    found = findings(step(5, 100.0), step(100, 100.0))
    assert found.sentence == "holds at least 100 calls, the most that was asked for"


@pytest.mark.parametrize(("wanted", "verdict"), [(5, "holds"), (10, "breaks")])
def test_fewer_than_wanted_is_a_violation(wanted: int, verdict: str) -> None:
    found = findings(step(5, 100.0), step(6, 5000.0), at_least=wanted)
    assert found.verdict == verdict


def test_one_call_that_fails_is_the_whole_answer() -> None:
    found = findings(first_failure="signaling.offer-accepted: refused", breaks=1)
    assert found.verdict == "breaks"
    assert found.sentence == "holds no call: the first one failed with signaling.offer-accepted: refused"


def test_an_interrupted_search_says_what_it_knows() -> None:
    found = findings(step(5, 100.0), interrupted=True)
    assert found.sentence == "holds 5 calls; interrupted before the edge was found"


def test_the_report_has_no_p95_of_few_and_the_plot_marks_the_edge() -> None:
    found = findings(step(5, 100.0, rows=19), step(15, 2500.0))
    report = json.loads(json.dumps(as_json(found)))
    few, many = (each["rows"]["DC open"] for each in report["steps"])
    assert (few["p95"], many["p95"]) == (None, 2500.0)
    assert report["steps"][1]["slos"][0] == {
        "slo": "DC open p95 < 1s",
        "row": "DC open",
        "value": 2500.0,
        "samples": 20,
        "kept": False,
    }
    drawn = str(plot(found))
    assert "breaks at 15" in drawn
    assert "DC open p95 &lt; 1s" in drawn


def test_a_step_is_long_enough_when_every_objective_has_its_samples() -> None:
    assert enough(step(5, 1.0).window, SLOS, 20)
    assert not enough(step(5, 1.0, rows=19).window, SLOS, 20)


def test_the_recorder_counts_a_call_once_and_tells_a_stage_by_its_own_moment() -> None:
    recorder = Recorder()
    failure = AssertionError("signaling.offer-accepted: refused")
    recorder.hear("DC open", 80.0, None, {"at": 5.0})
    recorder.hear("DC open", 90.0, None, {"at": 15.0})
    recorder.hear("SDP POST", None, failure, {"at": 16.0})
    recorder.hear("call", 100.0, failure, {"at": 16.0, "unreachable": True})
    recorder.hear("call", 100.0, None, {"at": 17.0, "unreachable": False})
    window = recorder.window(10.0)
    assert dict(window.milliseconds) == {"DC open": [90.0], "call": [100.0]}
    assert (window.calls, window.failed) == (2, 1)
    assert recorder.failures() == Counter({("SDP POST", str(failure)): 1})


# --- soak ---


def soak(
    rise: float = 0.0, *, leak: float = 0.0, theirs: float = 0.0, failed: int = 0, samples: int = 60
) -> SoakFindings:
    def sample(i: int) -> Sample:
        window = Window({"DC open": [100.0 + rise * i]}, 5, 0)
        watched = {
            "memory": 150.0 + leak * i,
            "descriptors": 20.0,
            "the target's memory": 90.0 + theirs * i,
        }
        return Sample(30.0 * i, values_of(window, dict(watched), live=10), window)

    return SoakFindings(
        target=TARGET,
        seed=1,
        started_at="2026-01-01T00:00:00Z",
        calls=10,
        seconds=1800.0,
        samples=tuple(sample(i) for i in range(samples)),
        health=Health(),
        failures=(("whole turn", "turns.response-completes: response-failed", failed),) if failed else (),
        ended=300,
        failed=failed,
    )


def test_a_steady_target_is_steady() -> None:
    found = soak()
    assert found.verdict == "steady"
    assert found.sentence == "300 calls ended in 30.0 min, 0 failed; nothing drifts"


def test_a_stage_that_slows_down_is_the_targets() -> None:
    found = soak(rise=2.0)
    assert found.verdict == "violating"
    assert found.rising() == ["DC open"]
    assert "DC open rose by 94 ms (p = " in found.sentence


def test_memory_that_grows_is_our_own_leak_and_not_the_targets() -> None:
    found = soak(leak=2.0)
    assert found.verdict == "broken"
    assert "the generator's own memory rose by 94 MiB" in found.sentence


def test_memory_of_the_target_that_grows_is_the_targets() -> None:
    found = soak(theirs=1.0)
    assert (found.verdict, found.rising()) == ("violating", ["the target's memory"])
    assert "the target's memory rose by 47 MiB" in found.sentence


def test_failed_calls_are_named_and_a_short_soak_tells_no_drift() -> None:
    assert "3 times whole turn: turns.response-completes: response-failed" in soak(failed=3).sentence
    assert soak(failed=3).verdict == "violating"
    short = soak(samples=5)
    assert short.verdict == "inconclusive"
    assert short.sentence.endswith("too short to tell a drift")


def test_what_broke_on_our_side_is_said_and_blames_nobody() -> None:
    why = "the call process died (signal 9), and its calls with it"
    broken = replace(soak(), broke=why)
    assert (broken.verdict, broken.sentence.endswith(f"0 failed; {why}")) == ("broken", True)
    assert replace(soak(failed=3), broke=why).verdict == "violating", "what failed before stays a finding"
    found = findings(step(5, 100.0), broke=why, most=5)
    assert (found.verdict, found.sentence) == ("inconclusive", f"holds 5 calls; inconclusive: {why}")


def test_a_call_that_we_broke_is_counted_apart() -> None:
    recorder = Recorder()
    for ours in (True, False):
        recorder.hear("call", None, HarnessError("x"), {"at": 1.0, "ours": ours})
    assert (recorder.window(0.0).calls, recorder.window(0.0).failed) == (1, 1)
    assert recorder.broken == {"x": 1}


def test_calls_that_fail_while_the_generator_is_late_are_told_and_blame_nobody() -> None:
    late = soak(failed=3)
    late.health.saturated = "packets left 1113 ms late at p99, 40 ms allowed"
    assert late.verdict == "inconclusive"
    assert "3 failed; 3 times whole turn: turns.response-completes: response-failed; inc" in late.sentence


def test_the_soaks_report_has_every_series_with_its_trend() -> None:
    report = json.loads(json.dumps(soak_as_json(soak(rise=2.0))))
    assert report["series"]["DC open"]["rises"] is True
    assert report["series"]["memory"]["of"] == "generator"
    assert len(report["series"]["DC open"]["points"]) == 60


def offers(*told: str, seconds: float = 0.1, failed: int = 0, **fields: Any) -> SoakFindings:
    times = Lateness()
    times.add([1000 * seconds] * (600 - failed))
    whole = CountedWindow({}, 600, failed, {"SDP POST": times})
    slos = tuple(SloValue.of(slo, whole) for slo in read_slos(told))
    of_offers = {"unit": "offers a second", "slos": slos, "ended": 600, "failed": failed}
    return replace(soak(), **{**of_offers, **fields})


def test_a_soak_of_offers_is_held_against_its_objectives() -> None:
    kept = offers("SDP POST p95 < 2s", "failures < 1%", failed=3)
    assert kept.verdict == "steady", "3 of 600 are less than 1 %"
    assert kept.sentence == "600 offers ended in 30.0 min, 3 failed; nothing drifts"
    assert offers("SDP POST p95 < 2s", failed=3).verdict == "violating", "no objective allows any failure"
    slow = offers("SDP POST p95 < 50ms", "failures < 1%")
    assert slow.verdict == "violating"
    assert "SDP POST p95 was 100 ms, not below 50ms" in slow.sentence
    assert offers("first audio p95 < 2s").verdict == "inconclusive"
    assert "nothing was measured of first audio p95" in offers("first audio p95 < 2s").sentence


def test_what_is_said_beside_a_soak_of_offers_can_be_a_finding() -> None:
    found = offers("failures < 1%", beside=("5 answers came from a cache",), violating=True)
    assert (found.verdict, "5 answers came from a cache" in found.sentence) == ("violating", True)
    report = json.loads(json.dumps(soak_as_json(replace(found, also={"offers": 601}))))
    assert (report["unit"], report["offers"]) == ("offers a second", 601)
    assert report["slos"] == [{"slo": "failures < 1%", "row": "failures", "value": 0.0, "kept": True}]


def test_the_targets_memory_that_grows_is_the_targets() -> None:
    samples = tuple(
        replace(sample, values={**sample.values, "the target's memory": 100.0 + i})
        for i, sample in enumerate(soak().samples)
    )
    found = replace(soak(), samples=samples)
    assert found.verdict == "violating"
    assert "the target's memory rose by" in found.sentence
