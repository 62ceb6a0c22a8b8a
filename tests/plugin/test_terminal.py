from __future__ import annotations

from typing import Any, Literal

import pytest

from harness.plugin.terminal import make_report_printable
from tests.support.escapes import ESCAPES, raw_in


def report(longrepr: Any, outcome: Literal["passed", "failed", "skipped"], text: str) -> pytest.TestReport:
    return pytest.TestReport(
        "a::b", ("a", 1, "b"), {}, outcome, longrepr, "call", sections=[("Captured log call", text)]
    )


@pytest.mark.parametrize("escape", ESCAPES)
def test_what_pytest_prints_of_a_test_can_be_printed(escape: str) -> None:
    failed = report(f"why {escape}\nseen", "failed", escape)
    skipped = report(("a.py", 1, f"Skipped: {escape}"), "skipped", escape)
    passed = report(None, "passed", escape)
    for each in (failed, skipped, passed):
        make_report_printable(each)
        assert raw_in(each.longreprtext + each.caplog) == []
    assert failed.longreprtext.endswith("\nseen")
    assert isinstance(skipped.longrepr, tuple)
    assert raw_in(str(skipped.longrepr[2])) == []
    assert passed.longrepr is None
