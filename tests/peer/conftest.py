from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.peer.native import library

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler"
)


@pytest.fixture(scope="session")
def native_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which the part in C is built."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        library.build()
    return folder


@pytest.fixture(params=["python", pytest.param("native", marks=needs_compiler)])
def packet_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which of the two packet paths a test runs with: it must not tell them apart."""
    which: str = request.param
    if which == "native":
        monkeypatch.setenv("XDG_CACHE_HOME", str(request.getfixturevalue("native_cache")))
    monkeypatch.setenv("HARNESS_NATIVE", str(which == "native"))
    library.library.cache_clear()
    assert (library.library() is not None) == (which == "native")
    yield which
    library.library.cache_clear()
