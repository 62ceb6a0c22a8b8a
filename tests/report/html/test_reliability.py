from __future__ import annotations

from harness.core.events import Event, HarnessFailed, PacingMeasured, UpstreamUnavailable
from harness.core.limits import limit
from harness.report.html.reliability import Fact, facts
from tests.report.html.runs import entry, run_of
from tests.support.timelines import healthy_events


def told(*more: Event) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts(run_of(entry([*healthy_events(), *more])))}


def test_a_punctual_run_says_how_punctual_with_seed_clock_and_versions() -> None:
    found = told()
    p99, worst = limit({}, "lateness_p99_ms"), limit({}, "lateness_max_ms")
    assert f"1.2 ms (p99, allowed {p99:g})" in found["lateness"].text
    assert f"3.0 ms at worst (in 001-first-turn, allowed {worst:g})" in found["lateness"].text
    assert found["seed"].text == "7"
    assert "same monotonic clock" in found["clock"].text
    assert "aiortc 1." in found["libraries"].text
    assert not any(fact.doubt for fact in found.values())


def test_a_late_run_is_doubted() -> None:
    lateness = told(PacingMeasured(at=7.0, packets=400, p50=20, p99=90, max=600))["lateness"]
    assert lateness.doubt
    assert "inconclusive" in lateness.text


def test_our_own_failures_are_told_with_the_call() -> None:
    found = told(
        HarnessFailed(at=2.0, error="KeyError: 'x'", where="peer.py:7"),
        UpstreamUnavailable(at=8.0, reason="the fake is gone"),
    )
    assert found["the harness broke"].text == "001-first-turn, 2.0 s in peer.py:7: KeyError: 'x'"
    assert found["upstream not seen"].text == "001-first-turn: the fake is gone"
    assert found["not judged"].doubt


def test_a_run_without_audio_has_no_lateness_to_tell() -> None:
    fact = next(iter(facts(run_of(entry([])))))
    assert fact.text.startswith("not measured")
