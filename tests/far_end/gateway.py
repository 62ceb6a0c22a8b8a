"""A relay whose far end is libwebrtc: reference relay → gateway → the fake OpenAI's WebSocket."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.config.run import RunSettings
from harness.config.target import Target
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.settings import SESSION_PATH
from tests.support.programs import ending_with_us

HERE = Path(__file__).parent
READY_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class OnThisMachine(RunSettings):
    """A black box, whose far end is known to be on loopback."""

    def ice_addresses(self) -> list[str] | None:
        return ["127.0.0.1"]


def install(npm: str) -> None:
    """The packages, where they are not there: npm's own cache and registry decide where they come from."""
    if (HERE / "node_modules" / "@roamhq" / "wrtc").is_dir():
        return
    command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True, capture_output=True)


@asynccontextmanager
async def libwebrtc_behind_a_relay(node: str, *, seed: int = 1) -> AsyncIterator[Target]:
    """The relay's target; everything of it ends with the context."""
    options = EmbeddedOptions(seed=seed)
    key = {"OPENAI_API_KEY": options.api_key}
    async with EmbeddedPair(options) as pair:
        upstream = f"{pair.fake.replace('http', 'ws', 1)}/v1/realtime?model="
        gateway = [node, str(HERE / "gateway.mjs"), upstream]
        async with _program(gateway, key) as base:
            relay = [sys.executable, "-m", "harness", "relay", "--upstream", base, "--seed", str(seed)]
            async with _program(relay, key) as address:
                yield Target(f"{address}{SESSION_PATH}")


@asynccontextmanager
async def _program(command: list[str], more: Mapping[str, str]) -> AsyncIterator[str]:
    """A program that prints its base URL when it is ready."""
    process = await asyncio.create_subprocess_exec(
        *ending_with_us(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **more},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = await process.stdout.readline()
        assert line, f"{command[:3]} did not start"
        yield line.decode().strip()
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
