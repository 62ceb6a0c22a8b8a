"""One caller in one network: a call with each set of ICE servers, all at once.

`python -m tests.network.nat.calling FOLDER`, run in the caller's namespace. Begins when a line comes on
standard input, since the servers may not be up yet, and leaves one timeline for each call.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.desk import Desk
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.fakes.embedded import EmbeddedPair
from tests.network.nat.addresses import ICE_SERVERS, RELAY, RELAY_PORT

# Long enough for a busy machine to connect, short enough to wait in vain. Each wait is longer than its limit.
LIMITS = {"channel_s": 7.0}
TIMEOUTS = Timeouts(ice=8.0, channel=10.0)


async def takes_a_turn(caller: Caller) -> None:
    """Events, voice and a reply."""
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


async def call_with_each(folder: Path) -> None:
    """Write `FOLDER/NUMBER.jsonl`, numbered as ICE_SERVERS is ordered."""
    target = Target(f"http://{RELAY}:{RELAY_PORT}/api/voice/webrtc/session")
    settings = RunSettings(target=target, limits=LIMITS, timeouts=TIMEOUTS)
    async with Desk.open(settings, EmbeddedPair.for_run) as desk:

        async def call(number: int, ice_servers: str) -> None:
            told = replace(desk, target=replace(target, ice_servers=ICE_SERVERS[ice_servers]))
            scenario = Scenario("takes_a_turn", ice_servers, takes_a_turn, ())
            record = await make_call(told, scenario, call=f"{folder.name}-{number}")
            (folder / f"{number}.jsonl").write_text(record.timeline.to_jsonl(), encoding="utf-8")

        await asyncio.gather(*(call(number, name) for number, name in enumerate(ICE_SERVERS)))


if __name__ == "__main__":
    sys.stdin.readline()
    uvloop.run(call_with_each(Path(sys.argv[1])))
