"""The reports folder is looked at before the first call."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.report.folder import LOCK, claimed


def test_a_folder_is_made_and_left_as_it_was(tmp_path: Path) -> None:
    with claimed(tmp_path / "a" / "b") as folder:
        assert folder.is_dir()
    assert (folder / LOCK).stat().st_size == 0
    with claimed(folder):  # again, once it is free
        pass


def test_another_run_in_it_is_told(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(UsageError, match="another run writes its report to"),
        claimed(tmp_path),
    ):
        pass


@pytest.mark.parametrize("where", ["a file", "/proc/nowhere"])
def test_what_is_no_folder_is_told(where: str, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(UsageError, match="no report can be written to"), claimed(tmp_path / where):
        pass


def test_a_full_disk_is_told_before_the_first_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UsageError, match="No space left on device"), claimed(tmp_path):
        pass
