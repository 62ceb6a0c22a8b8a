"""Pages that do it well in another style than the reference page: nothing is found against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.cli.main import main
from harness.fakes.embedded import EmbeddedPair
from tests.support.programs import needs_program
from tests.support.serving import serving

PAGES = Path(__file__).parent / "styles"
BAD = ("failed", "warned", "error")
# How late this machine is is another test's affair, and so is how the reply sounds on it.
PATIENT = (
    *("--limit=lateness_max_ms=60000", "--limit=lateness_p99_ms=60000", "--limit=stalled_s=60"),
    *("--limit=stoi=0.01", "--limit=jitter_ms=1000", "--limit=gap_ms=5000", "--limit=boundary_ms=2000"),
)


class _Backend(SimpleHTTPRequestHandler):
    """The pages, and POST /session: the relay on their own origin."""

    def __init__(self, *arguments: Any, relay: str) -> None:
        self._relay = relay
        super().__init__(*arguments, directory=str(PAGES))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = {"Content-Type": "application/json"}
        answer = httpx.post(self._relay, content=body, headers=kind, trust_env=False)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/sdp")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the page's requests are on its timeline."""


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    needs_program("chromium")
    with EmbeddedPair() as running:
        yield running


@pytest.mark.timeout(120)
@pytest.mark.parametrize("style", ["negotiated", "processed"])
def test_a_page_in_another_style_is_found_nothing_against(
    style: str, pair: EmbeddedPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(partial(_Backend, relay=pair.offer_url)) as base, pytest.raises(SystemExit):
        main(
            [
                *("page", f"{base}/{style}.html", "--start=#start", "--stop=#stop", "--say=en-m-yes"),
                *(f"--fake-openai={pair.fake}", f"--reports={tmp_path}", "--json", *PATIENT),
            ]
        )
    document = json.loads(capsys.readouterr().out)
    outcomes = {r["id"]: r["outcome"] for r in document["requirements"]}
    found = [f"{r['id']}: {r['cause']}" for r in document["requirements"] if r["outcome"] in BAD]
    assert found == []
    for name in ("page.microphone-sent", "page.reply-played", "page.stop-releases", "turns.speech-detected"):
        assert outcomes[name] == "passed", name
