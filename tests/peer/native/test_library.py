from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.peer import peer
from harness.peer.native import library
from harness.peer.native.library import BATCH, LARGEST, SOURCE, build, built_at
from tests.peer.conftest import needs_compiler


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HARNESS_NATIVE", "true")


def found() -> bool:
    library.library.cache_clear()
    try:
        return library.library() is not None
    finally:
        library.library.cache_clear()


@needs_compiler
def test_it_is_used_where_it_was_built_and_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not found()
    path = build()
    assert path == built_at()
    assert list(path.parent.iterdir()) == [path]
    assert found()
    monkeypatch.setenv("HARNESS_NATIVE", "false")
    assert not found()


@needs_compiler
def test_one_built_of_another_source_is_left_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build()
    changed = tmp_path / "lanes.c"
    changed.write_text(SOURCE.read_text() + "\n")
    monkeypatch.setattr(library, "SOURCE", changed)
    assert not found()


@needs_compiler
def test_what_does_not_compile_is_told_in_the_compilers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "lanes.c"
    wrong.write_text("int lane_new(void) { return nothing; }\n")
    monkeypatch.setattr(library, "SOURCE", wrong)
    with pytest.raises(UsageError, match="nothing"):
        build()
    assert not built_at().exists()


def test_without_a_compiler_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no C compiler"):
        build()
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UsageError, match="no-such-compiler cannot be run"):
        build()


def test_both_sides_mean_the_same_by_a_batch() -> None:
    source = SOURCE.read_text()
    assert peer.BATCH == BATCH
    assert f"    BATCH = {BATCH}, " in source
    assert f"    LARGEST = {LARGEST}, " in source
    assert f"char address[80];\n    unsigned char data[{LARGEST}];" in library.DEFINITIONS
