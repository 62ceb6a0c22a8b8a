"""`harness fake-openai` and `harness relay` as processes: one line when ready, a clean end."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

FAKE = (
    "from harness.fakes.commands import serve_fake\n"
    "from harness.fakes.openai.settings import FakeSettings\n"
    "serve_fake('127.0.0.1:0', FakeSettings(vad='webrtc'))\n"
)
RELAY = (
    "from harness.fakes.commands import serve_relay\n"
    "from harness.fakes.relay.settings import RelaySettings\n"
    "serve_relay('127.0.0.1:0', RelaySettings('http://127.0.0.1:1', 'sk-key-0123456789abcdef'))\n"
)


@pytest.mark.parametrize(("script", "health"), [(FAKE, "/_fake/health"), (RELAY, "/health")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_serves_and_stops_when_told(
    script: str, health: str, number: signal.Signals
) -> None:
    """Exit status 0, and nothing but the URL was said."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert httpx.get(url + health).json()["status"] == "ok"
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")
