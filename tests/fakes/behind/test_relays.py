"""A relay that names OpenAI in its source, behind the fake, in a real call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.support.serving import first_line_of

RELAY = Path(__file__).parent / "programs" / "aiohttp_relay.py"
PATIENT = ("--limit=lateness_max_ms=60000", "--limit=lateness_p99_ms=60000", "--limit=stalled_s=60")


@pytest.mark.timeout(120)
def test_a_relay_on_aiohttp_is_called_behind_the_fake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`harness behind -- python relay.py`, and the doctor at its address: both ends are seen."""
    with EmbeddedPair(EmbeddedOptions(fake_at="127.0.0.1:0")) as pair:
        behind = ("behind", f"--fake-openai={pair.fake}", "--", sys.executable, str(RELAY))
        with (
            first_line_of([sys.executable, "-m", "harness", *behind]) as url,
            pytest.raises(SystemExit) as ended,
        ):
            main(["doctor", url, f"--fake-openai={pair.fake}", f"--reports={tmp_path}", "--json", *PATIENT])
    document = json.loads(capsys.readouterr().out)
    outcomes = {r["id"]: r["outcome"] for r in document["requirements"]}
    assert outcomes["signaling.offer-reaches-upstream"] == "passed"
    assert outcomes["audio.something-heard"] == "passed"
    assert (ended.value.code, document["verdict"]) == (0, "conforming")
