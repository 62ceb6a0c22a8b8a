"""The reference relay for both ways: `python -m tools.transports.relaying HOST:PORT UPSTREAM`.

It pings a WebSocket as often as servers do by default, every 20 s: each ping of its own every 2 s, as
`harness relay` sends them to be tested by, would wake up a TCP that waits after a blackout.
"""

from __future__ import annotations

import os
import sys

import uvloop

from harness.core.host_port import split_bind
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import running, stop_signals

PING_SECONDS = 20.0


async def serve(bind_to: str, upstream: str) -> None:
    """Until a signal comes; says a line when it is ready."""
    host, port = split_bind(bind_to)
    settings = RelaySettings(upstream, os.environ["OPENAI_API_KEY"], ping_seconds=PING_SECONDS)
    with stop_signals() as stopped:
        async with running(ReferenceRelay(settings).app, host=host, port=port) as base:
            sys.stdout.write(f"{base}\n")
            sys.stdout.flush()
            await stopped.wait()


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
