"""No secret of a real run is in anything that it writes or says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.plugin.conftest import ROOT, Run
from tests.support.serving import serving

SECRETS = {
    "SEEN_TOKEN": "bearer/hidden+0123456789",
    "SEEN_HEADER": "header-hidden-0123456789",
    "SEEN_COOKIE": "cookie-hidden-0123456789",
    "SEEN_FIELD": 'field"hidden\\0123456789é',
    "SEEN_QUERY": "query&hidden=0123456789",
    "SEEN_TURN": "turn-hidden-0123456789",
}
FROM_HOOK = "hook-hidden-0123456789"


class FakeChats(BaseHTTPRequestHandler):
    """Makes a chat, and shows its token."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"id": "chat-shown", "token": FROM_HOOK}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """What was used so far: nothing, ever."""
        body = b'{"usd": "7.25"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def chats() -> Iterator[str]:
    with serving(FakeChats) as base:
        yield f"{base}/chats"


def described(pair: EmbeddedPair, chats: str) -> str:
    return f"""
[targets.seen]
url = "{pair.offer_url}?room=shown"
dialect = "json"
fake_openai = "{pair.fake}"
bearer_env = "SEEN_TOKEN"
headers = {{ X-Tenant = "tenant-shown" }}
headers_env = {{ X-Api-Key = "SEEN_HEADER" }}
cookies_env = {{ session = "SEEN_COOKIE" }}
query_env = {{ code = "SEEN_QUERY" }}
fields_env = {{ csrf = "SEEN_FIELD" }}
[[targets.seen.ice_servers]]
urls = "turn:127.0.0.1:9?transport=tcp"
username = "user-shown"
credential_env = "SEEN_TURN"
[targets.seen.before_call]
url = "{chats}"
fields = {{ chatId = "id" }}
secret_fields = {{ chatToken = "token" }}
[targets.seen.usage]
url = "{chats}"
field = "usd"
settle_s = 1
"""


def forms(secret: str) -> set[str]:
    """As it is, in JSON, in JSON in JSON, and in a URL."""
    in_json = json.dumps(secret)[1:-1]
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    return {secret, in_json, plain, json.dumps(in_json)[1:-1], quote(secret), quote(secret, safe="")}


def test_no_secret_is_in_any_artifact_or_output_of_a_run(scenarios: Run, chats: str, tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    bearer = SECRETS["SEEN_TOKEN"]
    with EmbeddedPair(EmbeddedOptions(bearer_token=bearer)) as pair:
        config.write_text(described(pair, chats))
        options = ("--target=seen", f"--config={config}")
        finished = scenarios(
            *options,
            f"--alluredir={tmp_path / 'allure'}",
            f"--junitxml={tmp_path / 'junit.xml'}",
            paths=("scenarios/first_turn_spanish.py", "scenarios/no_credentials.py"),
            **SECRETS,
        )
        doctor = subprocess.run(
            [
                *(sys.executable, "-m", "harness", "doctor", "seen", options[1]),
                *("--json", "--say=en-m-yes", f"--reports={tmp_path / 'doctor'}"),
            ],
            cwd=ROOT,
            env={**os.environ, **SECRETS},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    said = {"pytest": finished.output, "doctor": doctor.stdout + doctor.stderr}
    assert json.loads(doctor.stdout)["schema"] == 2
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    texts = said | {str(f): f.read_bytes().decode("utf-8", "replace") for f in files if f != config}
    offers = [text for name, text in texts.items() if name.endswith("timeline.jsonl")]
    # The calls were made, with everything that was configured: what is not secret is there to be read.
    assert len(offers) == 3
    for shown in (
        "chat-shown",
        "tenant-shown",
        "room=shown",
        "csrf",
        "chatToken",
        "session.created",
        "usage-told",
    ):
        assert any(shown in text for text in offers), shown
    leaks = {
        (name, where)
        for name, secret in [*SECRETS.items(), ("the hook's", FROM_HOOK)]
        for where, text in texts.items()
        if any(form in text for form in forms(secret))
    }
    assert leaks == set()


def test_a_hook_that_fails_is_named_and_the_relay_is_not_blamed(scenarios: Run, tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    config.write_text(
        '[targets.hooked]\nurl = "http://127.0.0.1:9/session"\n'
        '[targets.hooked.before_call]\nurl = "/chats"\nfields = { chatId = "id" }\n'
    )
    finished = scenarios("--target=hooked", f"--config={config}", paths=("scenarios/first_turn_spanish.py",))
    assert finished.code != 0
    assert "the before_call hook failed: POST http://127.0.0.1:9/chats: refused" in finished.output
    assert "the target is violating" not in finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    assert results["verdict"] == "inconclusive"
