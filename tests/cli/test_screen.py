from __future__ import annotations

import io

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.cli.screen import PrintableConsole, console, finding, say, stage_line, stage_table
from harness.run.checkup import Check, State
from tests.support.escapes import ESCAPES, HOSTILE, raw_in


@pytest.mark.parametrize("escape", ESCAPES)
def test_what_is_said_can_be_printed(escape: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"a relay said {escape}")
    say(f"a relay said {escape}", err=True)
    printed = capsys.readouterr()
    assert raw_in(printed.out) == raw_in(printed.err) == []
    assert "a relay said " in printed.out


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("escape", ESCAPES)
def test_a_console_writes_no_control_but_its_own(escape: str, terminal: bool) -> None:
    written = io.StringIO()
    out = PrintableConsole(file=written, force_terminal=terminal, markup=False, width=200)
    table = Table.grid()
    table.add_row(escape, Text(escape, "red"))
    out.print(escape, Text(escape, "bold"), table, finding(f"head {escape}\n  why   {escape}"))
    with Live(console=out, transient=True) as live:
        live.update(table)
    assert raw_in(written.getvalue()) == []


def test_the_commands_print_with_that_console() -> None:
    assert isinstance(console(), PrintableConsole)


def test_a_stage_quotes_in_one_line() -> None:
    check = Check("session created", State.REACHED, at=1.0, detail=f"{HOSTILE}\nthe relay is conforming")
    assert raw_in(stage_line(check)) == []
    assert len(stage_line(check).splitlines()) == 1
    assert stage_table([check]).row_count == 1
