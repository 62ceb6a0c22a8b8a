"""The Next.js relay of the tutorial is run as it stands there, and conforms."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.docs.pages import ROOT, blocks
from tests.plugin.conftest import Run, scenarios  # noqa: F401  (a fixture)
from tests.support.programs import ending_with_us, needs_program

KEY = "sk-tutorial-relay-of-the-documentation"
PATHS = tuple(
    f"scenarios/{name}.py"
    for name in (
        "abandoned_offer",
        "bad_offers",
        "first_turn_english",
        "session_injection",
        "upstream_failures",
    )
)


@pytest.fixture
def pair() -> Iterator[EmbeddedPair]:
    with EmbeddedPair(EmbeddedOptions(api_key=KEY)) as running:
        yield running


@pytest.fixture
def relay(tmp_path: Path, pair: EmbeddedPair) -> Iterator[str]:
    """The relay of docs/grey-box.md in Node.js, in front of the fake."""
    (route,) = blocks(ROOT / "docs" / "grey-box.md", "js")
    (tmp_path / "route.mjs").write_text(route, encoding="utf-8")
    shutil.copy(Path(__file__).with_name("next_server.mjs"), tmp_path)
    process = subprocess.Popen(
        ending_with_us([needs_program("node"), "next_server.mjs"]),
        cwd=tmp_path,
        env={**os.environ, "OPENAI_BASE_URL": f"{pair.fake}/v1", "OPENAI_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}/api/voice/webrtc/session"
        process.terminate()


def test_the_relay_of_the_tutorial_conforms(relay: str, pair: EmbeddedPair, scenarios: Run) -> None:  # noqa: F811  (the fixture)
    finished = scenarios(f"--target={relay}", f"--fake-openai={pair.fake}", "--concurrency=5", paths=PATHS)
    assert finished.code == 0, finished.output[-6000:]
    assert "warned" not in finished.output.rpartition("the target is conforming")[2], finished.output[-6000:]
