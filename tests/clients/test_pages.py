"""Pages that reach OpenAI by other code than ours, judged as a user's own is: `harness page`."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.clients.clients import INSTALLED, ROOT
from tests.clients.official_page import serving_official_page
from tests.fakes.callers import KEY
from tests.support.programs import ending_with_us, needs_installed, needs_program

NEXTJS = ROOT / "examples" / "nextjs-voice"
NEXT = NEXTJS / "node_modules" / ".bin" / "next"
INSTALL = "make install-clients"
# How late this machine is is another test's affair.
PATIENT = (
    *("--limit=lateness_max_ms=60000", "--limit=lateness_p99_ms=60000", "--limit=stalled_s=60"),
    *("--limit=stoi=0.01", "--limit=jitter_ms=1000", "--limit=gap_ms=5000", "--limit=boundary_ms=2000"),
)
BAD = ("failed", "warned", "error")
Asked = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    needs_program("chromium")
    with EmbeddedPair(EmbeddedOptions(api_key=KEY)) as running:
        yield running


@pytest.fixture
def ask(pair: EmbeddedPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    """`harness …` with the fake and `--json`: its document."""

    def asked(*arguments: str) -> dict[str, Any]:
        with pytest.raises(SystemExit):
            main([*arguments, f"--fake-openai={pair.fake}", f"--reports={tmp_path}", "--json", *PATIENT])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return asked


def findings(document: dict[str, Any]) -> list[str]:
    return [f"{r['id']}: {r['cause']}" for r in document["requirements"] if r["outcome"] in BAD]


def passed(document: dict[str, Any]) -> set[str]:
    return {r["id"] for r in document["requirements"] if r["outcome"] == "passed"}


def test_the_official_client_in_a_page_holds_a_call_and_is_judged(pair: EmbeddedPair, ask: Asked) -> None:
    """What it does otherwise than the seeds' pages is said, and nothing else."""
    needs_installed("the JavaScript clients", INSTALLED, INSTALL)
    with serving_official_page(pair.fake) as url:
        document = ask("page", url, "--start=#start", "--stop=#stop", "--say=en-m-yes")
    of_page = {found for found in findings(document) if found.startswith("page.")}
    assert of_page == {"page.ice-policies: no-ice-servers", "page.clean-up-order: element-kept"}
    heard = {"turns.speech-detected", "audio.something-heard"}
    released = {"page.reply-played", "page.microphone-sent", "page.stop-releases"}
    assert heard | released <= passed(document)


@contextmanager
def nextjs(fake: str) -> Iterator[str]:
    """The example, built and started with the fake in OpenAI's place."""
    environment = {
        **os.environ,
        "NEXT_TELEMETRY_DISABLED": "1",
        "OPENAI_BASE_URL": f"{fake}/v1",
        "OPENAI_API_KEY": KEY,
        "STUN_URL": "stun:127.0.0.1:9",
    }
    subprocess.run([NEXT, "build"], cwd=NEXTJS, env=environment, check=True, capture_output=True, timeout=200)
    process = subprocess.Popen(
        ending_with_us([str(NEXT), "start", "--port", "0", "--hostname", "127.0.0.1"]),
        cwd=NEXTJS,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        while (found := re.search(r"http://127\.0\.0\.1:\d+", said)) is None or "Ready" not in said:
            said += (line := process.stdout.readline())
            assert line, said
        yield found.group()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_the_example_of_a_voice_mode_in_nextjs_conforms_without_a_warning(
    pair: EmbeddedPair, ask: Asked
) -> None:
    """Its page in Chromium with every probe, and its route by the doctor."""
    needs_program("node")
    needs_installed("the Next.js example", NEXT, INSTALL)
    with nextjs(pair.fake) as url:
        starts = ("--start=text=Talk to Cleo", "--start=text=Iniciar llamada", "--stop=text=Colgar")
        page = ask("page", f"{url}/", *starts, "--language=es-ES", "--say=es-f-order")
        route = ask("doctor", f"{url}/api/voice/webrtc/session")
    assert findings(page) == []
    assert {"page.one-connection", "page.reply-played", "page.stop-releases"} <= passed(page)
    assert findings(route) == []
    assert {"audio.something-heard", "signaling.session-forwarded"} <= passed(route)
