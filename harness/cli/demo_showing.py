"""How the demo looks: a list that fills while the calls are made, then each finding with its fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.cli.demo_cases import CASES, Case
from harness.cli.screen import finding
from harness.report.explain import explain
from harness.requirements.model import Verdict
from harness.requirements.registry import REGISTRY

NEXT = "your own: harness doctor URL"


class ShowDemo:
    """Live on a terminal, a line for each call in a pipe, nothing where `quiet`."""

    def __init__(self, out: Console, *, quiet: bool = False) -> None:
        self.out = out
        self._quiet = quiet
        self._made: dict[str, tuple[tuple[Verdict, ...], float]] = {}
        is_live = out.is_terminal and not quiet
        self._live = Live(console=out, refresh_per_second=10, transient=True) if is_live else None

    def __enter__(self) -> Self:
        if not self._quiet:
            self.out.print(Text("six relays, one call through each, all at the same time", "bold"))
        if self._live is not None:
            self._live.start()
            self._live.update(self._table())
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def made(self, case: Case, found: tuple[Verdict, ...], seconds: float) -> None:
        """A call is over and judged."""
        self._made[case.name] = (found, seconds)
        if self._live is not None:
            self._live.update(self._table())
        elif not self._quiet:
            mark = "✗" if found else "✓"
            self.out.print(f"{mark} {seconds:6.1f} s  {case.name:<24} {_named(found)}")

    def conclude(self, wrong: Sequence[Case], seconds: float) -> None:
        """Each finding with its fix; then whether every fault was named, and what to do next."""
        if self._live is not None:
            self.out.print(self._table())
        for case in CASES:
            found, _ = self._made[case.name]
            if found:
                self.out.print()
                self._headline(case)
            for verdict in found:
                self._finding(explain(verdict, REGISTRY.get(verdict.id).title))
        self.out.print()
        broken = [case for case in CASES if case.finds]
        for case in wrong:
            self.out.print(Text(f"{case.name}: this was planted: {case.finds or 'nothing'}", "bold yellow"))
        named = len(broken) - sum(1 for case in wrong if case.finds)
        style = "bold yellow" if wrong else "bold green"
        told = f"{named} of {len(broken)} faults named as planted, in {seconds:.0f} s"
        self.out.print(Text(told, style))
        self.out.print(Text(NEXT, "dim"))

    def _headline(self, case: Case) -> None:
        if self._live is None:
            self.out.print(f"the relay {case.name}: {case.in_the_field}")
            return
        self.out.print(Rule(Text(f"the relay {case.name}", "bold"), align="left", style="dim"))
        self.out.print(Text(case.in_the_field, "italic"))

    def _finding(self, text: str) -> None:
        self.out.print(text if self._live is None else finding(text))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for case in CASES:
            mark: RenderableType = Spinner("dots", style="cyan")
            shown, took = Text(case.in_the_field, "dim"), ""
            if case.name in self._made:
                found, seconds = self._made[case.name]
                mark = Text("✗", "bold red") if found else Text("✓", "green")
                shown, took = Text(_named(found), "red" if found else "green"), f"{seconds:.1f} s"
            table.add_row(mark, case.name, took, shown)
        return table


def _named(found: tuple[Verdict, ...]) -> str:
    return ", ".join(f"{v.id}: {v.cause or v.outcome.value}" for v in found) or "nothing wrong"
