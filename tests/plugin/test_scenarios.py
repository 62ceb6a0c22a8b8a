from __future__ import annotations

import json
import re
from pathlib import Path

from harness.fakes.embedded import EmbeddedPair
from tests.plugin.conftest import FIRST_TURN, Recorded, Run, grey_box, planted

CARD = (
    "signaling.answer-has-data-channel",
    "connectivity.data-channel-opens",
    "session.update-accepted",
    "turns.speech-detected",
    "audio.comes-back",
)


def test_one_scenario_passes_against_the_embedded_pair_with_a_line_for_each_requirement(
    embedded_run: Recorded,
) -> None:
    finished = embedded_run.finished
    assert finished.code == 0, finished.output
    assert "the target is conforming" in finished.output
    for requirement in CARD:
        assert re.search(rf"first_turn_spanish::{re.escape(requirement)} PASSED", finished.output)
    assert re.findall(r"^(\S+)::cost\.per-run OBSERVED", finished.output, re.MULTILINE) == ["run"]
    results = json.loads((finished.reports / "results.json").read_text())
    assert results["target"]["mode"] == "embedded"
    assert results["seed"] == 7
    assert {r["id"] for r in results["requirements"] if r["outcome"] == "passed"} >= set(CARD)
    assert_allure(embedded_run.allure)


def assert_allure(directory: Path) -> None:
    """One result a requirement, with feature, story, severity and evidence."""
    found = [json.loads(path.read_text()) for path in directory.glob("*-result.json")]
    by_id = {r["fullName"].rpartition("#")[2]: r for r in found}
    result = by_id["signaling.answer-has-data-channel"]
    labels = {(label["name"], label["value"]) for label in result["labels"]}
    assert ("feature", "signaling") in labels
    assert ("story", "A caller asks in Spanish where her order is, and is answered.") in labels
    assert ("severity", "blocker") in labels
    names = {attachment["name"] for attachment in result["attachments"]}
    assert names >= {"offer.sdp", "answer.sdp", "events", "timeline.jsonl", "received audio"}
    assert result["links"]
    assert len({r["historyId"] for r in found}) == len(found)


def test_single_requirements_can_be_selected_also_one_over_all_calls(
    scenarios: Run, pair: EmbeddedPair
) -> None:
    selected = ("--requirement=signaling.answer-is-sdp", "--requirement=cost.per-run")
    finished = scenarios(*grey_box(pair), *selected, paths=FIRST_TURN)
    assert finished.code == 0, finished.output
    assert "1 passed" in finished.output
    assert re.findall(r"^\S+ OBSERVED", finished.output, re.MULTILINE) == ["run::cost.per-run OBSERVED"]


def test_an_impairment_is_applied_and_stands_in_the_results(scenarios: Run, pair: EmbeddedPair) -> None:
    finished = scenarios(*grey_box(pair), "--impairment=wifi-good", "--seed=7", paths=FIRST_TURN)
    assert finished.code == 0, finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    assert (
        json.loads((finished.reports / "samples.json").read_text())["conditions"]["impairment"] == "wifi-good"
    )
    timeline = (finished.reports / results["calls"][0]["timeline"]).read_text()
    assert '"kind":"network-impaired"' in timeline
    assert '"kind":"impairment-measured"' in timeline


def test_an_unknown_impairment_is_a_usage_error(scenarios: Run) -> None:
    finished = scenarios("--impairment=trian", paths=FIRST_TURN)
    assert finished.code == 4
    assert "there is no impairment 'trian'" in finished.output
    assert "did you mean train" in finished.output


def test_collecting_makes_no_call(scenarios: Run) -> None:
    finished = scenarios("--collect-only", "-q")
    assert finished.code == 0
    assert "making" not in finished.output
    assert not finished.reports.exists()


def test_a_broken_relay_is_named_with_cause_evidence_and_fix_and_no_traceback(
    scenarios: Run, pair: EmbeddedPair
) -> None:
    with planted(pair, offer_trimmed=True):
        finished = scenarios(*grey_box(pair), "--area=signaling", paths=FIRST_TURN)
    assert finished.code == 1
    assert "signaling.offer-forwarded-intact: offer-trimmed" in finished.output
    assert "byte for byte" in finished.output
    assert re.search(r"signaling\.answer-is-sdp BLOCKED", finished.output)
    assert "the target is violating" in finished.output
    assert "Traceback" not in finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    assert results["target"]["mode"] == "grey-box"
    assert results["verdict"] == "violating"


def test_a_root_cause_outside_the_judged_areas_is_still_named_and_fails_the_run(
    scenarios: Run, pair: EmbeddedPair
) -> None:
    with planted(pair, offer_trimmed=True):
        finished = scenarios(*grey_box(pair), paths=("scenarios/silence_only.py",))
    assert finished.code == 1
    assert "signaling.offer-forwarded-intact: offer-trimmed" in finished.output
    assert "the target is violating" in finished.output


def test_a_run_stops_placing_calls_where_its_budget_ends(scenarios: Run, pair: EmbeddedPair) -> None:
    """One call is enough to know what the others would cost."""
    finished = scenarios(
        *grey_box(pair),
        "--limit=cost_per_run_usd=0.0001",
        "--area=cost",
        paths=("scenarios/first_turn_english.py", "scenarios/two_turns.py"),
    )
    assert finished.code == 1, finished.output
    assert "two_turns was not placed: " in finished.output
    assert re.search(r"two_turns::cost\.per-call NOT APPLICABLE", finished.output)
    assert re.search(r"run::cost\.per-run FAILED", finished.output)
    assert "1 of 2 calls were not placed" in finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    assert [(r["id"], r["cause"]) for r in results["requirements"] if r["outcome"] == "failed"] == [
        ("cost.per-run", "budget-exceeded")
    ]
    assert '"kind":"call-withheld"' in (finished.reports / results["calls"][1]["timeline"]).read_text()
