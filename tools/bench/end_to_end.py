"""Everything on one machine: the fake and the relay as servers, Locust with its call process, real calls."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.fakes.relay.settings import SESSION_PATH

ROOT = Path(__file__).parents[2]
INCONCLUSIVE = 4  # Locust's exit code where its calls left late
START_SECONDS = 60.0
STOP_SECONDS = 20.0
CALLERS_A_SECOND = 5
OF_THE_GENERATOR = ("the generator had", "inconclusive")  # how Locust's last lines begin that tell of it


@asynccontextmanager
async def server(*arguments: str) -> AsyncIterator[str]:
    """A `harness` server; its base URL, which is its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "OPENAI_API_KEY": "sk-bench-made-up-key"},
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        if not line:
            raise RuntimeError(f"harness {arguments[0]} did not start")
        yield line.decode().strip()
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Carried:
    """What became of so many callers. `kept_up`: the generator was not late by its own, stricter limits."""

    requests: int
    failures: int
    turns: int
    status: int
    kept_up: bool
    generator: str
    why: dict[str, int]  # each failure's name, and how often

    @property
    def holds(self) -> bool:
        """Whether all went well but for, at most, the generator's own lateness."""
        return self.turns > 0 and not self.failures and self.status in (0, INCONCLUSIVE)


async def carried(calls: int, seconds: float) -> Carried:
    """Hold so many Locust users in conversations, `seconds` beyond the ramp."""
    async with (
        server("fake-openai", "--vad", "webrtc") as fake,
        server("relay", "--upstream", fake) as relay,
    ):
        with tempfile.TemporaryDirectory() as directory:
            lasting = calls / CALLERS_A_SECOND + seconds
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("locust")),
                *("-f", str(ROOT / "locustfile.py"), "SteadyCaller", "--headless", "--only-summary"),
                *("-u", str(calls), "-r", str(CALLERS_A_SECOND), "-t", f"{lasting:.0f}s"),
                *("--host", f"{relay}{SESSION_PATH}", "--fake-openai", fake.removeprefix("http://")),
                *("--decode-share", "0.02"),
                *("--csv", f"{directory}/bench", "--reports", f"{directory}/reports", "--stop-timeout", "30"),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
            try:
                _, said = await asyncio.wait_for(process.communicate(), lasting + 2 * START_SECONDS)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            status = process.returncode
            return _counted(Path(directory), said.decode(errors="replace"), status or 0)


def _counted(directory: Path, said: str, status: int) -> Carried:
    stats, failures = directory / "bench_stats.csv", directory / "bench_failures.csv"
    if not stats.exists():
        raise RuntimeError(f"Locust wrote no statistics: {said[-2000:]}")
    with stats.open(encoding="utf-8") as lines:
        rows = {row["Name"]: row for row in csv.DictReader(lines)}
    with failures.open(encoding="utf-8") as lines:
        why = {f"{row['Name']}: {row['Error']}": int(row["Occurrences"]) for row in csv.DictReader(lines)}
    total = rows["Aggregated"]
    generator = [line for line in said.splitlines() if any(begin in line for begin in OF_THE_GENERATOR)]
    return Carried(
        requests=int(total["Request Count"]),
        failures=int(total["Failure Count"]),
        turns=int(rows["whole turn"]["Request Count"]) if "whole turn" in rows else 0,
        status=status,
        kept_up=status != INCONCLUSIVE,
        generator="; ".join(generator),
        why=why,
    )
