from __future__ import annotations

import pytest

from harness.load.terminal import Progress, complain
from tests.support.escapes import ESCAPES, raw_in


@pytest.mark.parametrize("escape", ESCAPES)
def test_progress_and_complaints_can_be_printed(escape: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.line(f"failed: {escape}")
    progress.status(f"now: {escape}")
    complain(f"harness: {escape}")
    printed = capsys.readouterr()
    assert raw_in(printed.out) == raw_in(printed.err) == []
    assert printed.out.startswith("failed: ")


@pytest.mark.parametrize("escape", ESCAPES)
def test_so_it_is_at_a_terminal_whose_line_is_written_over(
    escape: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    progress = Progress()
    progress.status(f"now: {escape}")
    progress.line(f"failed: {escape}")
    assert raw_in(capsys.readouterr().out.replace("\r\x1b[K", "")) == []
