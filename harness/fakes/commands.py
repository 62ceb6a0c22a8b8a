"""`harness fake-openai` and `harness relay`: serve in the foreground until told to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable

import uvloop
from starlette.types import ASGIApp

from harness.fakes.openai.app import FakeOpenAI
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import running, split_bind, stop_signals

Say = Callable[[str], None]


def serve_fake(bind: str, settings: FakeSettings, say: Say | None = None) -> None:
    """Serve the fake OpenAI on `HOST:PORT`; say one line with its base URL when ready.

    Returns after SIGINT or SIGTERM, with every call released. Raises UsageError where it cannot bind.
    """
    _serve(FakeOpenAI(settings).app, bind, say)


def serve_relay(bind: str, settings: RelaySettings, say: Say | None = None) -> None:
    """Serve the reference relay on `HOST:PORT`; as `serve_fake`."""
    _serve(ReferenceRelay(settings).app, bind, say)


def _serve(app: ASGIApp, bind: str, say: Say | None) -> None:
    host, port = split_bind(bind)

    async def serve() -> None:
        with stop_signals() as stopped:
            async with running(app, host=host, port=port) as url:
                (say or _print_line)(url)
                await stopped.wait()

    uvloop.run(serve())


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
