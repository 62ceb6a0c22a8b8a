"""What the tests of a scenario ask for, when the run is over."""

from __future__ import annotations

from dataclasses import replace

from harness.call import Caller, Scenario
from harness.plugin.verdicts import RunVerdicts
from harness.requirements import REGISTRY
from harness.run.stream import Judged, RunEnded
from tests.report.test_files import one_run


async def first(caller: Caller) -> None:
    """Never called."""


def test_of_a_herd_the_call_that_sent_it_is_judged() -> None:
    """Its other callers have calls of their own on the run, and no verdicts."""
    run = one_run()
    (sender,), (verdict,) = run.calls, run.verdicts
    requirement = REGISTRY.get(verdict.id)
    verdicts = RunVerdicts()
    verdicts(Judged(requirement, verdict))
    verdicts(RunEnded(replace(run, calls=(sender, replace(sender, id="001-first-herd-1")))))
    scenario = Scenario("first", "Never called.", first, ())
    assert verdicts.verdict(requirement, scenario) == verdict
    assert verdicts.verdict(REGISTRY.get("audio.clean"), scenario) is None
