from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.plugin.conftest import Run
from tests.report.html.browser import chromium, opened
from tests.support.programs import needs_program
from tests.support.serving import serving

BAIT = "<script>window.pwned=1</script>\"'><img src=x onerror=window.pwned=2>"


class HostileRelay(BaseHTTPRequestHandler):
    """Answers every request with markup, in its body and its headers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = f"v=0\r\ns={BAIT}\r\n</pre></details>{BAIT}".encode()
        self.send_response(200, BAIT)
        self.send_header("content-type", f"text/html; x={BAIT}")
        self.send_header("x-bait", BAIT)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's own name)
        """Say nothing."""


@pytest.fixture
def hostile_relay() -> Iterator[str]:
    with serving(HostileRelay) as base:
        yield f"{base}/"


async def test_the_report_of_a_hostile_relay_shows_its_words_and_runs_none(
    scenarios: Run, hostile_relay: str
) -> None:
    program = needs_program("chromium")
    finished = scenarios(f"--target={hostile_relay}", "--seed=7", paths=("scenarios/preflight.py",))
    assert finished.code == 1, finished.output
    report = finished.reports / "report.html"
    assert f"report in {report}" in finished.output
    async with chromium(program) as browser, opened(browser, report) as seen:
        await seen.unfold()
        text = await seen.page.inner_text("body")
        assert BAIT in text
        again = f"pytest scenarios/preflight.py::preflight --target {re.escape(hostile_relay)} .*--seed 7"
        assert re.search(again, text)
        assert await seen.asks("window.pwned") is None
        assert await seen.page.locator("img").count() == 0
        assert [url for url in seen.requested if not url.startswith("file:")] == []
        assert seen.complaints == []
