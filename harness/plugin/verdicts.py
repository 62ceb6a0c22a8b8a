"""What a run came to, for the tests that are made of it: observed once, asked by each."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.call import Scenario
from harness.requirements.model import Requirement, Verdict
from harness.run.model import CallEntry, Run
from harness.run.repeated import together
from harness.run.stream import Happening, Judged, RunEnded


@dataclass
class RunVerdicts:
    """Observes a run: keeps its verdicts, and the run itself when it has ended."""

    run: Run | None = None
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    def __call__(self, happening: Happening) -> None:
        """Keep what tests ask for."""
        match happening:
            case Judged(requirement, verdict):
                self._verdicts[(verdict.call, requirement.id)] = verdict
            case RunEnded(run):
                self.run = run

    def verdict(self, requirement: Requirement, scenario: Scenario | None) -> Verdict | None:
        """The verdict on the scenario's calls, without one on all of the run; None where none was made.

        Of a call that was lost it is the first that is judged, by how its caller came back; of a herd, the
        call that sent it.
        """
        if scenario is None:
            return self._verdicts["", requirement.id]
        calls = [entry for entry in self._entries(scenario) if not entry.continues]
        judged = (self._verdicts.get((call.id, requirement.id)) for call in calls)
        found = [verdict for verdict in judged if verdict is not None]
        return together(found) if found else None

    def entry(self, scenario: Scenario | None) -> CallEntry | None:
        """The scenario's first call."""
        return next(iter(self._entries(scenario)), None) if scenario else None

    def _entries(self, scenario: Scenario) -> list[CallEntry]:
        return [entry for entry in self.run.calls if entry.scenario == scenario.name] if self.run else []
