from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replaced

from harness.core.events import Event, OfferCreated, StateChanged
from harness.core.timeline import Timeline
from harness.report.html.views import areas, findings, headline
from harness.requirements.model import Level, Outcome, Verdict
from harness.run.model import CallEntry, Run
from tests.report.html.runs import entry, run_of
from tests.support.timelines import healthy_events


def hung(call: str = "002-hung") -> CallEntry:
    """A call whose DTLS never came up."""
    kept: list[Event] = [
        e
        for e in healthy_events()
        if not (
            isinstance(e, StateChanged) and e.layer in ("dtls", "sctp", "channel") and e.state != "connecting"
        )
    ]
    return entry(kept, call, node=f"scenarios/hung.py::{call}")


def bare(*verdicts: Verdict, **more: object) -> Run:
    return replace(run_of(), verdicts=verdicts, **more)  # type: ignore[arg-type]  # fields of Run


def test_a_conforming_run_says_over_how_much() -> None:
    said = headline(bare(Verdict("a.b", Level.MUST, Outcome.PASSED), calls=(entry(),)))
    assert (said.sign, said.text, said.why) == ("✓", "The relay conforms", "1 requirement over 1 call")


def test_a_violating_run_counts_what_is_violated_and_why() -> None:
    said = headline(run_of(entry(), hung("002-hung"), hung("003-hung")))
    assert said.text == "The relay violates 1 requirement"
    assert said.why == "1 root cause, of which 1 hurts callers today"
    assert next(iter(said.counts)) == (Outcome.FAILED, 2)


def test_an_unreachable_target_says_what_met_the_caller() -> None:
    assert headline(bare(unreachable="refused")).why == "refused"


def test_nothing_judged_is_no_verdict() -> None:
    assert headline(bare()).text == "No verdict"


def test_one_cause_is_one_finding_with_its_calls_what_it_blocks_and_how_to_see_it_again() -> None:
    found = findings(run_of(entry(), hung("002-hung"), hung("003-hung")))
    assert [f.verdict.id for f in found] == ["connectivity.dtls-connects"]
    assert found[0].calls == ("002-hung", "003-hung")
    assert found[0].blocked > 10
    assert found[0].command == "pytest scenarios/hung.py::002-hung::connectivity.dtls-connects --seed 7"


def test_a_call_is_repeated_with_the_offer_that_was_its_turn() -> None:
    offered = [replaced(e, shape="firefox") if isinstance(e, OfferCreated) else e for e in hung().timeline]
    call = entry(offered, "002-hung", node="scenarios/hung.py::002-hung")
    command = "pytest scenarios/hung.py::002-hung::connectivity.dtls-connects --seed 7"
    assert findings(run_of(call))[0].command == f"{command} --offer firefox"
    asked = run_of(call, repeat=("--offer", "firefox", "--seed", "7"))
    assert findings(asked)[0].command.count("--offer") == 1


def test_what_is_no_test_of_its_scenario_is_repeated_by_the_whole_call() -> None:
    call = replace(hung(), judged=frozenset({"audio.comes-back"}))
    assert findings(run_of(call))[0].command == "pytest scenarios/hung.py::002-hung --seed 7"


def test_a_call_that_pytest_did_not_make_has_no_command() -> None:
    assert findings(run_of(replace(hung(), node="")))[0].command == ""


def test_a_verdict_over_all_calls_belongs_to_no_call() -> None:
    over = Verdict("cost.run-budget", Level.MUST, Outcome.FAILED, cause="x", explanation="too dear")
    found = findings(bare(over, calls=(entry(),)))
    assert (found[0].calls, found[0].command) == ((), "")


def test_areas_come_in_the_order_of_a_call_and_those_with_findings_are_broken() -> None:
    found = areas(run_of(entry(), hung()))
    names = [area.name for area in found]
    assert names.index("signaling") < names.index("connectivity") < names.index("turns")
    assert [area.name for area in found if area.broken] == ["connectivity"]


def test_a_requirement_tells_each_failure_by_itself_and_the_rest_together() -> None:
    run = run_of(entry(), entry(call="004-too"), hung("002-hung"), hung("003-hung"))
    rows = {row.id: row for area in areas(run) for row in area.rows}
    row = rows["connectivity.dtls-connects"]
    assert [(t.verdict.outcome, t.calls) for t in row.told] == [
        (Outcome.FAILED, ("002-hung",)),
        (Outcome.FAILED, ("003-hung",)),
        (Outcome.PASSED, ("001-first-turn", "004-too")),
    ]
    assert row.cells.count("M") == 4
    assert row.worst == Outcome.FAILED


def test_a_requirement_that_this_catalogue_no_longer_has_is_still_shown() -> None:
    gone = Verdict("signaling.of-long-ago", Level.MUST, Outcome.FAILED, cause="gone")
    row = areas(bare(gone))[0].rows[0]
    assert (row.id, row.requirement) == ("signaling.of-long-ago", None)


def test_a_record_without_a_start_is_a_call_as_well() -> None:
    call = replace(entry(), timeline=Timeline())
    assert headline(run_of(call)).counts
