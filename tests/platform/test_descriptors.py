from __future__ import annotations

from pathlib import Path

import psutil

from harness.platform.descriptors import check_descriptors, open_descriptors


def test_what_is_opened_is_counted_where_anybody_counts(tmp_path: Path, either_way: bool) -> None:
    ours = psutil.Process()
    before = open_descriptors(ours)
    with (tmp_path / "file").open("w"):
        held = open_descriptors(ours)
    assert (before is None) == either_way
    assert before is None or held == before + 1
    assert check_descriptors() >= (before or 0)


def test_a_process_that_is_gone_has_no_count() -> None:
    gone = psutil.Popen(["true"])
    gone.wait(10)
    assert open_descriptors(gone) is None
