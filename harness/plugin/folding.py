"""One line for each call and each finding once, where nobody asked for more (`-v`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from harness.plugin.items import RequirementItem, RunItem
from harness.plugin.terminal import of_call
from harness.requirements.model import Outcome


@dataclass
class Folding:
    """The tests of a scenario, told together behind the last of them."""

    last: dict[str, str]  # its test's node id → the scenario's name
    _outcomes: Counter[Outcome] = field(default_factory=Counter)

    @classmethod
    def of(cls, config: pytest.Config, items: Sequence[pytest.Item]) -> Folding | None:
        """None where more was asked for, or tests are among them that are not ours.

        What failed is said once, among the root causes: pytest says it no second and third time.
        """
        ours = [item for item in items if isinstance(item, RequirementItem | RunItem)]
        if config.option.verbose != 0 or len(ours) < len(items):
            return None
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "no"
        if config.option.reportchars.startswith("fE"):  # pytest's default, and what plugins add to it
            config.option.reportchars = config.option.reportchars[2:]
        names = {
            item.nodeid: item.scenario.name if isinstance(item, RequirementItem) else "run" for item in ours
        }
        last = {name: node for node, name in names.items()}
        return cls({node: name for name, node in last.items()})

    def letter(self, report: pytest.TestReport, outcome: str) -> str:
        """What stands in place of a test's letter: nothing, but behind a scenario's last test its line."""
        if report.outcome not in ("passed", "failed", "skipped"):  # pytest-rerunfailures has another
            return ""
        self._outcomes[Outcome(outcome)] += 1
        name = self.last.get(report.nodeid)
        if name is None:
            return ""
        file = report.nodeid.partition("::")[0].rpartition("/")[2]
        shown = "" if file.removesuffix(".py") == name else name
        line, self._outcomes = of_call(shown, self._outcomes), Counter()
        return line
