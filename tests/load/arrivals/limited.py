"""A fake that only answers and reference relays, each short of something, in one process: their URLs as JSON.

They are loaded one after the other, so that none is slowed down by another.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

from harness.fakes.openai.http.app import FakeOpenAI
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running

LIMITS: dict[str, dict[str, object]] = {
    "blocked": {"block_ms": 40.0},
    "pool": {"upstream_connections": 10},
    "leak": {"leak_kib": 4096},
    "limiter": {"offers_per_second": 10},
    "mute-limiter": {"offers_per_second": 10, "no_retry_after": True},
    "located": {"locations": True, "cold_seconds": 2.5},
}


async def serve() -> None:
    """Until standard input ends."""
    async with contextlib.AsyncExitStack() as stack:
        fast = FakeOpenAI(FakeSettings(addresses=("127.0.0.1",), vad="webrtc", answers_only=True))
        slow = FakeOpenAI(
            FakeSettings(
                addresses=("127.0.0.1",), vad="webrtc", answers_only=True, faults=("slow-answer=0.4",)
            )
        )
        found = {
            "fake": await stack.enter_async_context(running(fast.app)),
            "slow-fake": await stack.enter_async_context(running(slow.app)),
        }
        for name, limits in LIMITS.items():
            upstream = found["slow-fake" if name == "pool" else "fake"]
            settings = RelaySettings(upstream=upstream, api_key="sk-test-of-arrivals", **limits)  # type: ignore[arg-type]  # named by their fields
            base = await stack.enter_async_context(running(ReferenceRelay(settings).app))
            found[name] = f"{base}{SESSION_PATH}"
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
