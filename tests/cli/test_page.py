from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.page import unusable
from harness.core.events import ButtonPressed, CallEnded, HarnessFailed
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.cli.conftest import RunCommand
from tests.support.programs import needs_program
from tests.support.timelines import call_started

QUICK = (
    "--say=en-m-yes",
    "--limit=lateness_max_ms=60000",
    "--limit=lateness_p99_ms=60000",
    "--limit=stalled_s=60",
)


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    needs_program("chromium")
    with EmbeddedPair(EmbeddedOptions()) as running:
        yield running


@pytest.mark.timeout(200)
def test_a_page_is_called_judged_and_shown(
    pair: EmbeddedPair, run_command: RunCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the button's own words, in Spanish, with a fault: one finding, pictures, one document."""
    code = run_command(
        "page",
        f"{pair.relay}/page/?lang=es&fault=element-muted",
        "--start=text=Iniciar llamada",
        "--stop=text=Colgar",
        "--language=es-ES",
        f"--fake-openai={pair.fake}",
        f"--reports={tmp_path}",
        "--json",
        *QUICK,
    )
    document = json.loads(capsys.readouterr().out)
    found = {r["cause"] for r in document["requirements"] if r["outcome"] == "failed"}
    assert (code, found) == (1, {"element-muted"})
    assert document["caller"] == "page"
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert stages["button pressed"]["detail"] == "“Iniciar llamada”"
    assert stages["page plays it"]["state"] == "failed"
    (folder,) = (tmp_path / "calls").iterdir()
    assert [p.name for p in sorted(folder.glob("*.jpg"))] == [
        "page-01-opened.jpg",
        "page-02-before-the-end.jpg",
        "page-03-after-the-end.jpg",
    ]
    report = (tmp_path / "report.html").read_text()
    assert report.count("data:image/jpeg;base64,") == 3
    assert "Silenciar" in report, "what was shown on the page"


@pytest.mark.timeout(100)
def test_a_page_that_is_not_there_is_told_in_one_line(
    pair: EmbeddedPair, run_command: RunCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command(
        "page", "http://127.0.0.1:10009/", f"--fake-openai={pair.fake}", f"--reports={tmp_path}"
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 3
    assert "the page cannot be loaded" in line


@pytest.mark.timeout(200)
def test_a_probe_is_a_call_of_its_own(
    pair: EmbeddedPair, run_command: RunCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the target's own table: where its page is, and what stands on its button."""
    config = tmp_path / "harness.toml"
    config.write_text(
        f'[targets.ours]\nurl = "{pair.relay}/api/voice/webrtc/session"\nfake_openai = "{pair.fake}"\n'
        '[targets.ours.page]\nurl = "/page/?fault=denied-silently"\nstart = "text=Start call"\n'
    )
    code = run_command(
        "page", "ours", f"--config={config}", "--probe=microphone-denied", f"--reports={tmp_path}", *QUICK
    )
    said = capsys.readouterr().out
    assert code == 1
    assert "/page/?fault=denied-silently" in said.splitlines()[0]
    assert "✗ microphone-denied    page.refusal-told: refusal-not-told" in said
    assert "hits  every caller who refuses the microphone" in said
    assert [folder.name for folder in (tmp_path / "calls").iterdir()] == ["001-page_microphone_denied"]


def test_without_playwright_one_line_says_what_to_install(
    run_command: RunCommand,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    code = run_command("page", "http://127.0.0.1:9/", f"--reports={tmp_path}")
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 4
    assert "pip install 'voice-relay-harness[browser]'" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "is not a URL"),
        (("http://127.0.0.1:9/", "--microphone=broken"), "there is no microphone 'broken'"),
        (("http://127.0.0.1:9/", "--storage-state=none.json"), "there is no file none.json"),
        (("http://127.0.0.1:9/", "--probe=doubleclick"), "did you mean double-click?"),
        (("http://127.0.0.1:9/", "--say=nothing"), "there is no clip 'nothing'"),
        ((), "missing argument"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_started(
    run_command: RunCommand, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run_command("page", *arguments) == 2
    assert said in capsys.readouterr().err


def test_only_a_page_without_a_button_is_unusable() -> None:
    ended = CallEnded(at=2.0, reason="no button of the page is the obvious one")
    pressed = ButtonPressed(at=1.0, what="start", selector="#start")
    assert unusable(Timeline([call_started(), ended])) == ended.reason
    assert unusable(Timeline([call_started(), pressed, ended])) == ""
    assert unusable(Timeline([call_started(), HarnessFailed(at=1.0, error="x"), ended])) == ""


def test_an_address_without_its_scheme_is_told_what_a_page_has(
    run_command: RunCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("page", "localhost:3000") == 2
    assert "is no page's address (give it with its scheme: http://localhost:3000)" in capsys.readouterr().err
