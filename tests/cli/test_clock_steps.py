"""The wall clock is set in mid-call: nothing of it is the relay's fault, or on the timeline."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest

from harness.fakes.embedded import EmbeddedPair
from tests.support.programs import ending_with_us, needs_file

LIBRARY = "usr/lib/*/faketime/libfaketimeMT.so.1"
STEPS = ("-3600", "+7200")  # seconds
# How late this machine itself is, is no finding here.
PATIENT = ("--limit=lateness_p99_ms=5000", "--limit=lateness_max_ms=20000")


async def doctor(pair: EmbeddedPair, folder: Path, step: str) -> tuple[int | None, str]:
    """Exit code and output of a call in whose middle the process is shown another time of day."""
    clock = folder / "clock"
    clock.write_text("+0\n")
    environment = {
        **os.environ,
        "LD_PRELOAD": needs_file(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    asked = (
        "doctor",
        pair.offer_url,
        "--say=en-m-yes",
        f"--fake-openai={pair.fake}",
        f"--reports={folder}/it",
    )
    process = await asyncio.create_subprocess_exec(
        *ending_with_us([sys.executable, "-m", "harness", *asked, *PATIENT]),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = []
    async for line in process.stdout:
        said.append(line.decode())
        if "data channel open" in said[-1]:
            clock.write_text(f"{step}\n")
    return await process.wait(), "".join(said)


@pytest.mark.skipif(sys.platform != "linux", reason="libfaketime is preloaded as Linux does it")
async def test_a_wall_clock_that_is_set_in_a_call_moves_nothing(tmp_path: Path) -> None:
    """As the process is shown it by libfaketime; the kernel, which notes when packets came, has another."""
    for step in STEPS:
        (tmp_path / step).mkdir()
    with EmbeddedPair() as pair:
        found = await asyncio.gather(*(doctor(pair, tmp_path / step, step) for step in STEPS))
    for step, (code, said) in zip(STEPS, found, strict=True):
        assert code == 0, said
        (timeline,) = (tmp_path / step).rglob("timeline.jsonl")
        ats = [msgspec.json.decode(line)["at"] for line in timeline.read_bytes().splitlines()]
        assert min(ats) >= 0
        assert max(ats) < 120
