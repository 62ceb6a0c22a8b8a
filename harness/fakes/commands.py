"""`harness fake-openai` and `harness relay`: serve in the foreground until told to stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from harness.core.collector import freeze_loaded
from harness.core.errors import HarnessError
from harness.core.host_port import split_bind
from harness.core.printable import printable
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.front import serving_fake
from harness.fakes.page.app import beside
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import running, stop_signals
from harness.platform.loop import run_loop

Say = Callable[[str], None]

EXAMPLE_KEY = "sk-test"


def serve_fake(
    bind: str,
    settings: FakeSettings,
    say: Say | None = None,
    *,
    workers: int = 1,
    hint: Say = lambda _line: None,
) -> None:
    """Serve the fake OpenAI on `HOST:PORT`; say one line with its base URL when ready, then `hint` the rest.

    Returns after SIGINT or SIGTERM, with every call released and every worker gone. Raises UsageError where
    it cannot bind, and HarnessError when all of several workers have died.
    """
    host, port = split_bind(bind)
    dead: list[bool] = []

    def serving(stopped: asyncio.Event) -> AbstractAsyncContextManager[str]:
        def broken() -> None:
            dead.append(True)
            stopped.set()

        return serving_fake(settings, workers=workers, host=host, port=port, broken=broken)

    def ready(url: str) -> None:
        (say or _print_line)(url)
        key = "a key of --keys" if settings.api_keys else f"{EXAMPLE_KEY} (any key will do)"
        hint(f"give the relay OPENAI_BASE_URL={url}/v1 and OPENAI_API_KEY={key}")

    run_loop(_serve(serving, ready))
    if dead:
        raise HarnessError("all workers of the fake have died", "see what they said above")


def serve_relay(bind: str, settings: RelaySettings, say: Say | None = None) -> None:
    """Serve the reference relay on `HOST:PORT`; as `serve_fake`."""
    host, port = split_bind(bind)
    relay = ReferenceRelay(settings)
    run_loop(_serve(lambda _stopped: running(beside(relay.app), host=host, port=port), say))


async def _serve(
    serving: Callable[[asyncio.Event], AbstractAsyncContextManager[str]], say: Say | None
) -> None:
    with stop_signals() as stopped:
        async with serving(stopped) as url:
            freeze_loaded()
            (say or _print_line)(url)
            await stopped.wait()


def _print_line(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()
