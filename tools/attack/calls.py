"""Whole calls to a relay and a fake whose every message may be spoiled."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.core.events import HarnessFailed
from harness.fakes.embedded import EmbeddedPair
from harness.fakes.openai.media.peer import FakePeer
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running
from harness.report.files import write_run
from harness.report.html import write_html
from tests.fakes.callers import KEY, quick, serving
from tests.system.calling import TIMEOUTS
from tools.attack.kinds import expect, kind
from tools.attack.showing import judged, shown
from tools.attack.values import hostile, spoiled, spoiled_text

AT_ONCE = 3


async def _plan(caller: Caller) -> None:
    await caller.connect()
    await caller.update_session(instructions="Be brief.")
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


def _spoiling(rng: random.Random, send: Any) -> Any:
    def spoil(peer: FakePeer, text: str) -> None:
        event = json.loads(text)
        chance = rng.random()
        if chance < 0.15:
            send(peer, json.dumps(spoiled(event, rng)))
        elif chance < 0.2:
            send(peer, rng.choice(("", "[", "null", "{}", '{"type":1}', "\u202e", '{"type":"\\ud800"}')))
        elif chance < 0.25:
            send(peer, text)
            send(peer, text)
        elif chance < 0.3:
            send(peer, json.dumps({"type": "error", "error": hostile(rng)}))
        elif chance > 0.04:
            send(peer, text)

    return spoil


class _Answers:
    """An ASGI app before the relay, which spoils some of its answers."""

    def __init__(self, app: Any, rng: random.Random) -> None:
        self.app, self.rng = app, rng

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        rng = self.rng

        async def other(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [h for h in message["headers"] if h[0] != b"content-length"]}
            elif rng.random() < 0.25:
                body = spoiled_text(message.get("body", b"").decode("utf-8", "replace"), rng)
                message = {**message, "body": body.encode("utf-8", "surrogatepass")}
            await send(message)

        await self.app(scope, receive, other if scope["type"] == "http" else send)


@kind("calls: everything spoiled", within=60.0)
async def calls(rng: random.Random) -> int:
    """Whole calls, their answers and events spoiled on the way; each is judged, shown and written."""
    sent = FakePeer._send  # noqa: SLF001  (put back below)
    FakePeer._send = _spoiling(rng, sent)  # type: ignore[method-assign]  # noqa: SLF001  (for these calls)
    unhandled: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _l, context: unhandled.append(repr(context)))
    timeouts = replace(TIMEOUTS, answer=3.0, channel=3.0, ice=3.0, dtls=3.0, created=1.5, turn=2.5, reply=5.0)
    try:
        async with serving(quick()) as fake:
            relay = ReferenceRelay(RelaySettings(upstream=fake.url, api_key=KEY))
            async with running(_Answers(relay.app, rng)) as url:
                target = Target(f"{url}{SESSION_PATH}")
                settings = RunSettings(target=target, fake_openai=fake.url, seed=1, timeouts=timeouts)
                async with CallContext.open(settings, EmbeddedPair.for_run) as context:
                    scenario = Scenario("attack", "attack", _plan, ())
                    made = await asyncio.gather(
                        *(make_call(context, scenario, call=f"00{n}-attack") for n in range(AT_ONCE))
                    )
    finally:
        FakePeer._send = sent  # type: ignore[method-assign]  # noqa: SLF001  (as above)
        asyncio.get_running_loop().set_exception_handler(None)
    expect(not unhandled, f"{unhandled[:3]}")
    for record in made:
        for failed in record.timeline.all(HarnessFailed, side=None):
            expect(False, f"{failed.where}: {failed.error}")
        run = judged(record.timeline)
        shown(run)
        with tempfile.TemporaryDirectory() as folder:
            write_run(run, Path(folder))
            write_html(run, Path(folder), {})
    return AT_ONCE
