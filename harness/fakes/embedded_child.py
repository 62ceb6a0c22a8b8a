"""The embedded pair's own process: options in by one line, base URLs out by one line, then calls.

Beside the relay runs a spare one, which can be restarted while calls go on through the other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from functools import partial
from typing import Literal

import msgspec

from harness.core.collector import freeze_loaded
from harness.core.errors import HarnessError
from harness.core.host_port import split_bind
from harness.core.printable import make_logs_printable
from harness.fakes.embedded import RESTART_SPARE, EmbeddedOptions, PairReady
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.front import serving_fake
from harness.fakes.page.app import beside
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import running
from harness.platform.loop import run_loop
from harness.platform.pipes import reading_pipe
from harness.platform.signals import ENDING, handled

Order = Literal["restart", "stop", "broken"]

END_SECONDS = 70.0  # from the order to stop: three servers, each with its time to end


async def _serve(options: EmbeddedOptions) -> None:
    orders: asyncio.Queue[Order] = asyncio.Queue()
    async with reading_pipe(sys.stdin) as said:
        obeying = asyncio.create_task(_obey(said, orders))
        with handled(asyncio.get_running_loop(), ENDING, partial(orders.put_nowait, "stop")):
            order = await _serve_until(orders, options)
        obeying.cancel()
    if order == "broken":
        raise HarnessError("all workers of the fake have died", "see what they said above")


async def _serve_until(orders: asyncio.Queue[Order], options: EmbeddedOptions) -> Order:
    """Give the order that ended it."""
    fake = FakeSettings(
        addresses=options.addresses,
        ice_patience=options.ice_patience,
        api_keys=() if options.fake_at else (options.api_key,),
        vad=options.vad,
        voice=options.voice,
        conversation=ConversationSettings().changed(options.conversation),
        seed=options.seed,
        faults=options.fake_faults,
        answers_only=options.answers_only,
        answers_only_ufrags=options.answers_only_ufrags,
    )
    broken = partial(orders.put_nowait, "broken")
    host, port = split_bind(options.fake_at or "127.0.0.1:0")
    async with serving_fake(fake, workers=options.workers, host=host, port=port, broken=broken) as fake_url:
        if options.fake_at:
            _ready(PairReady("", fake_url, ""))
            return await orders.get()
        settings = RelaySettings(
            upstream=fake_url,
            api_key=options.api_key,
            dialect=options.dialect,
            bearer_token=options.bearer_token,
            origins=options.origins,
            faults=options.relay_faults,
            gateway=options.gateway,
            seed=options.seed,
        )
        async with running(beside(ReferenceRelay(settings).app)) as relay_url:
            freeze_loaded()
            port = 0
            order: Order = "restart"
            while order == "restart":
                async with running(beside(ReferenceRelay(settings).app), port=port) as spare_url:
                    port = int(spare_url.rpartition(":")[2])
                    _ready(PairReady(relay_url, fake_url, spare_url))
                    order = await orders.get()
    return order


def _ready(ready: PairReady) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(ready) + b"\n")
    sys.stdout.flush()


async def _obey(said: asyncio.StreamReader, orders: asyncio.Queue[Order]) -> None:
    """Pass on what the parent orders. The end of it, too, is an order: the parent has gone."""
    while await said.read(len(RESTART_SPARE)) == RESTART_SPARE:
        orders.put_nowait("restart")
    # Whatever it is that does not end: nobody is there to end us.
    asyncio.get_running_loop().call_later(END_SECONDS, os._exit, 1)
    orders.put_nowait("stop")


def main() -> int:
    """Serve what the first line asks for."""
    # Ctrl-C reaches the whole process group; the parent decides when its calls are over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    make_logs_printable()
    options = msgspec.json.decode(sys.stdin.buffer.readline(), type=EmbeddedOptions)
    try:
        run_loop(_serve(options))
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
