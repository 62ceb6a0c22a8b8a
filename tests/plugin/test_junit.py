"""What JUnit's file and the CI services are told of a run that pytest makes."""

from __future__ import annotations

import json
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from harness.core.timeline import Timeline
from harness.report.ci import CODE_QUALITY
from tests.plugin.conftest import Recorded


@pytest.fixture(scope="module")
def suite(embedded_run: Recorded) -> ET.Element:
    found = ET.parse(embedded_run.folder / "junit.xml").getroot().find("testsuite")
    assert found is not None
    return found


def properties(element: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in element.findall("properties/property")}


def test_the_suite_says_what_was_called_and_how_to_repeat_it(suite: ET.Element) -> None:
    said = properties(suite)
    assert said["harness.seed"] == "7"
    assert said["harness.mode"] == "embedded"
    assert said["harness.target"].startswith("http://127.0.0.1:")
    assert said["harness.verdict"] == "conforming"


def test_the_tests_of_a_call_took_together_what_the_call_took(
    embedded_run: Recorded, suite: ET.Element
) -> None:
    (file,) = (embedded_run.finished.reports / "calls").glob("*/timeline.jsonl")
    lasted = max(event.at for event in Timeline.from_jsonl(file.read_text()))
    of_call = [case for case in suite.findall("testcase") if "harness.call" in properties(case)]
    assert sum(float(case.attrib["time"]) for case in of_call) == pytest.approx(lasted, abs=2.0)


def test_each_test_says_its_outcome_and_nothing_names_our_files(
    embedded_run: Recorded, suite: ET.Element
) -> None:
    outcomes = Counter(properties(case)["harness.outcome"] for case in suite.findall("testcase"))
    assert outcomes["passed"] > 10
    text = (embedded_run.folder / "junit.xml").read_text()
    assert "/harness/" not in text
    skipped = [each.text or "" for each in suite.findall("testcase/skipped")]
    assert skipped
    # What is judged over all calls stands in no scenario.
    assert all(each.startswith(("scenarios/first_turn_spanish.py:", "run:", ".:")) for each in skipped), (
        skipped
    )


def test_github_and_gitlab_are_told(embedded_run: Recorded) -> None:
    assert (embedded_run.folder / "summary.md").read_text().startswith("## The target is conforming\n")
    assert json.loads((embedded_run.finished.reports / CODE_QUALITY).read_text()) == []
