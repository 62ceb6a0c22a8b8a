import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.speech.library import own_fixtures

FILE = "en-m-yes.flac"

RECORDED = """
[clips.yes]
file = "{file}"
role = "short"
language = "en"
speaker = "male"
transcript = "Yes, please."
duration_ms = 1280
speech_ms = [[270, 1010]]
truth = "energy"
licence = "CC0-1.0"
source = "synthesised"
sha256 = "{sha256}"
"""

WriteManifest = Callable[[str], Path]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A fixture directory with one real recording and no manifest."""
    shutil.copy(own_fixtures() / FILE, tmp_path / FILE)
    return tmp_path


@pytest.fixture
def write_manifest(directory: Path) -> WriteManifest:
    """Write a manifest into the directory; `{file}` and `{sha256}` stand for the recording's."""
    digest = hashlib.sha256((directory / FILE).read_bytes()).hexdigest()

    def write(text: str) -> Path:
        text = text.replace("{file}", FILE).replace("{sha256}", digest)
        (directory / "manifest.toml").write_text(text, encoding="utf-8")
        return directory

    return write


@pytest.fixture
def recorded() -> str:
    """The table of the recording."""
    return RECORDED
