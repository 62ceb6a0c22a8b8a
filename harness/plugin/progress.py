"""What pytest shows while calls are made: live on a terminal, line by line in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.core.clock import MonotonicClock
from harness.core.events import CallWithheld
from harness.core.printable import printable
from harness.run.stream import CallFinished, Happening, Noted, Observer, RunStarted, StageReached

REFRESHES = 4  # a second
NAME_WIDTH = 30


@contextmanager
def progress(config: pytest.Config) -> Iterator[Observer]:
    """An observer for one run; nothing is said with -q."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.verbose < 0:
        yield lambda _happening: None
    elif sys.stdout.isatty():
        reporter.ensure_newline()
        with RunLive(Console(file=sys.stdout, markup=False, highlight=False, emoji=False)) as live:
            yield live
    else:
        reporter.ensure_newline()
        yield RunLines(reporter)


def begun(happening: RunStarted) -> tuple[str, ...]:
    """Who is called, and how often."""
    return (
        f"target {happening.target} ({happening.dialect}, {happening.mode})",
        f"seed {happening.seed}",
        f"making {happening.calls} calls, {happening.side_by_side} side by side",
    )


def ended(finished: CallFinished) -> tuple[str, str]:
    """The mark of a call that is over, and the line behind it."""
    timeline, name = finished.record.timeline, finished.record.scenario.name
    withheld = timeline.first(CallWithheld)
    if withheld is not None:
        return "-", f"{name} was not placed: {withheld.reason}"
    said = f"{name} took {max((event.at for event in timeline), default=0.0):.1f} s"
    if not finished.failed:
        return "✓", said
    more = f" and {len(finished.failed) - 1} more" if len(finished.failed) > 1 else ""
    return "✗", f"{said}: {finished.failed[0]}{more}"


class RunLines:
    """Each call as a line when it ends."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._calls = self._done = 0

    def __call__(self, happening: Happening) -> None:
        """Say what a person who waits wants to know."""
        match happening:
            case RunStarted():
                self._calls = happening.calls
                for line in begun(happening):
                    self._say(line)
            case CallFinished():
                self._done += 1
                mark, said = ended(happening)
                self._say(f"  {mark} {said} ({self._done} of {self._calls})")
            case Noted(text):
                self._say(text)

    def _say(self, line: str) -> None:
        self._reporter.write_line(printable(line, lines=True))


@dataclass
class UnderWay:
    """A call that has begun: how far it came, and when it began."""

    scenario: str
    stage: str
    since: float


class RunLive:
    """The calls under way with their stage, those done of all, and the time left, beneath what has ended."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._clock = MonotonicClock()
        self._calls: dict[str, UnderWay] = {}
        self._all = self._done = 0
        self._ends_at = 0.0
        self._live = Live(
            get_renderable=self._shown, console=out, refresh_per_second=REFRESHES, transient=True
        )

    def __enter__(self) -> RunLive:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, happening: Happening) -> None:
        """Keep in mind what is shown at the next refresh; say at once what stays."""
        match happening:
            case RunStarted():
                self._all = happening.calls
                self._ends_at = self._clock.now() + happening.seconds
                for line in begun(happening):
                    self._say(Text(line))
            case StageReached(scenario, call, check):
                since = self._calls[call].since if call in self._calls else self._clock.now()
                self._calls[call] = UnderWay(scenario, check.name, since)
            case CallFinished(record):
                self._calls = {
                    call: way
                    for call, way in self._calls.items()
                    if call.split("-")[0] != record.id.split("-")[0]
                }
                self._done += 1
                mark, said = ended(happening)
                style = {"✓": "green", "✗": "red"}.get(mark, "yellow")
                self._say(Text.assemble((f"{mark} ", style), said))
            case Noted(text):
                self._say(Text(text))

    def _say(self, line: Text) -> None:
        line.plain = printable(line.plain, lines=True)
        self._out.print(line)

    def _shown(self) -> Group:
        now = self._clock.now()
        table = Table.grid(padding=(0, 2))
        table.add_column(width=1)
        table.add_column(max_width=NAME_WIDTH, no_wrap=True)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(justify="right", no_wrap=True)
        for way in list(self._calls.values()):
            table.add_row("…", printable(way.scenario), way.stage, f"{now - way.since:.0f} s")
        return Group(table, Text(self._summed_up(now), "bold"))

    def _summed_up(self, now: float) -> str:
        if not self._all:
            return "getting ready"
        left = self._ends_at - now
        when = f"about {left:.0f} s left" if left >= 1 else "any moment now"
        if self._done >= self._all:
            return f"{self._done} of {self._all} calls done: judging them"
        return f"{self._done} of {self._all} calls done, {len(self._calls)} under way, {when}"
