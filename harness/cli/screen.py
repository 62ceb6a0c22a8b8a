"""What the commands put on a terminal: the stages of a call, findings, and colours where there are any."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.core.printable import printable
from harness.run.checkup import Check, State

MARKS: dict[State, tuple[str, str]] = {
    State.WAITING: ("·", "dim"),
    State.UNDER_WAY: ("…", "cyan"),
    State.REACHED: ("✓", "green"),
    State.NOT_REACHED: ("·", "dim"),
    State.WARNED: ("!", "yellow"),
    State.UNCLEAR: ("?", "yellow"),
    State.FAILED: ("✗", "bold red"),
}
LABEL_WIDTH = 8  # of `explain`'s lines: two blanks, a word, blanks


def say(text: str, *, err: bool = False) -> None:
    """Print lines, with nothing in them that a terminal would obey."""
    click.echo(printable(text, lines=True), err=err)


class PrintableConsole(Console):
    """rich's, which writes no control character but its own."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            segment if segment.control else Segment(printable(segment.text, lines=True), segment.style)
            for segment in buffer
        )


def console() -> Console:
    """Where to print with colours: no markup is read, since what a relay says is printed too."""
    return PrintableConsole(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def stage_table(checks: Sequence[Check]) -> Table:
    """The list to tick off; what is under way has a spinner."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for check in checks:
        mark, style = MARKS[check.state]
        shown: RenderableType = Text(mark, style)
        if check.state == State.UNDER_WAY:
            shown = Spinner("dots", style=style)
        quiet = check.state in (State.WAITING, State.NOT_REACHED)
        table.add_row(
            shown,
            Text(check.name, "dim" if quiet else ""),
            "" if check.at is None else f"{check.at:.3f} s",
            "" if check.took is None else f"+{1000 * check.took:.0f} ms",
            Text(check.detail, style if check.state in (State.FAILED, State.WARNED) else ""),
        )
    return table


def stage_line(check: Check) -> str:
    """The same as one line, for a pipe."""
    at = "" if check.at is None else f"{check.at:.3f} s"
    return f"{MARKS[check.state][0]} {at:>9}  {check.name:<23} {check.detail}".rstrip()


def finding(text: str, style: str = "bold red") -> RenderableType:
    """A finding as `explain` words it: its headline, then labels beside text that wraps under itself."""
    headline, *lines = text.splitlines()
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for line in lines:
        label = line[:LABEL_WIDTH].strip()
        table.add_row(label, Text(line[LABEL_WIDTH:], "bold" if label == "fix" else ""))
    return Group(Text(headline, style), Padding(table, (0, 0, 0, 2)))
