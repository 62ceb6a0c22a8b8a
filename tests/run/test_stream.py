"""An observer that breaks costs a line, and the run only where it is its report."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import HarnessError, UsageError
from harness.run.stream import Happening, Noted, RunEnded, guarded


def test_an_observer_that_breaks_is_told_of_it_once_and_of_all_that_follows() -> None:
    told: list[str] = []

    def observer(happening: Happening) -> None:
        assert isinstance(happening, Noted)
        told.append(happening.text)
        if happening.text.startswith("bad"):
            raise KeyError(happening.text)

    observe = guarded(observer)
    for text in ("one", "bad", "bad again", "two"):
        observe(Noted(text))
    broke = [text for text in told if "an observer broke in test_stream.py:" in text]
    assert len(broke) == 1
    assert told[-1] == "two"


def test_a_report_that_fails_is_no_report() -> None:
    def observer(_happening: Happening) -> None:
        raise TypeError("of ours")

    run: Any = object()
    with pytest.raises(HarnessError, match=r"an observer broke in test_stream.py:\d+: TypeError: of ours"):
        guarded(observer)(RunEnded(run))


def test_what_the_reader_can_mend_is_said_as_it_is() -> None:
    def observer(_happening: Happening) -> None:
        raise UsageError("the disk is full", "make room")

    with pytest.raises(UsageError, match="the disk is full"):
        guarded(observer)(Noted("x"))
