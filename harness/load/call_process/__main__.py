"""The process that makes a Locust process's calls: asyncio alone, so that gevent's patches never meet it.

It reads its settings, then orders, and reports what comes of them (`harness.load.messages`). It ends when its
input does: then it hangs up whatever it has, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from harness.call.context import CallContext
from harness.config.asking import settings_of
from harness.config.option_texts import read_options
from harness.config.run import RunSettings
from harness.core.collector import freeze_loaded
from harness.core.errors import UsageError
from harness.core.offer_shapes import MINIMAL
from harness.fakes.embedded import EmbeddedPair, options_for
from harness.load.call_process.meter import Meter
from harness.load.call_process.personas import Personas
from harness.load.call_process.placing import Placing
from harness.load.messages import Cancel, LoadSettings, Order, Ready, read_instruction
from harness.load.pipes import Send, serve_parent


async def serve(reader: asyncio.StreamReader, send: Send) -> None:
    """Make calls until the input ends. Raises HarnessError where it cannot begin, or go on."""
    settings = read_instruction(await reader.readline())
    if not isinstance(settings, LoadSettings):
        raise UsageError("the first line must be the settings", "this process is started by harness.load")
    async with CallContext.open(_run_settings(settings), _pair_for_load) as context:
        # What takes long is done before the first call is placed, not while others are being paced.
        meter = Meter(send)
        personas = Personas(context.library, settings.seed)
        for clip in personas.clips():
            await asyncio.to_thread(getattr, context.library.clip(clip), "packets")
        freeze_loaded()
        placing = Placing(context, settings, personas, send, meter)
        measuring = asyncio.create_task(meter.run(), name="meter")
        send(
            Ready(
                target=context.target.shown_url,
                dialect=context.target.dialect,
                mode=context.settings.mode,
                fake=context.settings.fake_openai,
            )
        )
        try:
            async with context.own_servers.needed():
                while text := await reader.readline():
                    match read_instruction(text):
                        case Order() as order:
                            placing.place(order)
                        case Cancel(id=number):
                            placing.cancel(number)
        finally:
            await placing.end()
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)


def _run_settings(settings: LoadSettings) -> RunSettings:
    values = read_options("locust", settings.texts)
    run = replace(settings_of("locust", values, target=settings.host or None), seed=settings.seed)
    # What costs least, since it is the target that is loaded: a browser's offer binds more ports.
    return run if run.offer else replace(run, offer=MINIMAL)


def _pair_for_load(settings: RunSettings) -> EmbeddedPair:
    """A pair for each call process: its calls stay on the loopback of whatever machine it is on."""
    return EmbeddedPair(options_for(settings, vad="webrtc"))


def main() -> int:
    """Serve the process that started us."""
    return serve_parent(serve)


if __name__ == "__main__":
    sys.exit(main())
