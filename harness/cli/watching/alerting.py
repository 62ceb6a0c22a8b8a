"""Telling somebody that the cause changed: a command of theirs, or a webhook."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Any

import httpx

from harness.cli.watching.memory import Memory
from harness.core.clock import written_time
from harness.core.printable import printable
from harness.platform.children import DEVNULL, PIPE, end_group, start_program

COMMAND_SECONDS = 30.0
WEBHOOK_SECONDS = 10.0
LONGEST_SAID = 200  # characters of what a command says went wrong


def alert(memory: Memory, way: str, report: str) -> dict[str, Any]:
    """What is told, as JSON. `text` says it in a line, under the name that chat services look for."""
    before, now, last = memory.told.get(way), memory.holds, memory.last
    why = memory.paused or (last.why if last and not now.is_good else "")
    line = f"{memory.target} is {now}" + (f", and was {before.word}" if before else "")
    return {
        "text": line + (f": {why}" if why else ""),
        "target": memory.target,
        "verdict": now.word,
        "causes": list(now.causes),
        "before": {"verdict": before.word, "causes": list(before.causes)} if before else None,
        "since": written_time(memory.since),
        "why": why,
        "fix": last.fix if last and not now.is_good else "",
        "report": report,
    }


async def run_command(command: Sequence[str], told: dict[str, Any]) -> str:
    """Run it with the alert; why that failed, or nothing. What it started ends with it."""
    variables = {
        f"HARNESS_ALERT_{name.upper()}": "; ".join(value) if isinstance(value, list) else str(value)
        for name, value in told.items()
        if isinstance(value, str | list)
    }
    try:
        process = await start_program(
            command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            environment={**os.environ, **variables},
            leads_group=True,
        )
    except OSError as error:
        why = error.strerror or type(error).__name__
        return f"the alert's command cannot be started: {why}"
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            _, said = await process.communicate(json.dumps(told).encode())
    except TimeoutError:
        return f"the alert's command was ended after {COMMAND_SECONDS:g} s"
    finally:
        end_group(process)
        await process.wait()
    if process.returncode == 0:
        return ""
    words = printable(said.decode("utf-8", "replace").strip())[-LONGEST_SAID:]
    return f"the alert's command ended with {process.returncode}" + (f": {words}" if words else "")


async def post(url: str, told: dict[str, Any]) -> str:
    """Post the alert; why that failed, or nothing. The URL is a secret, so it is in no message."""
    try:
        async with (
            asyncio.timeout(WEBHOOK_SECONDS),
            httpx.AsyncClient() as client,
            client.stream("POST", url, json=told) as response,
        ):
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
        return f"the webhook was not reached: {type(error).__name__}"
    return "" if 200 <= status < 300 else f"the webhook answered with status {status}"
