"""The callers, each in the namespace of its network: a call with each set of ICE servers, side by side.

`python -m tests.network.nat.calling FOLDER NETWORK=NAMESPACE…` begins when a line comes on standard input,
since the servers may not be up yet, and leaves one timeline for each call.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.fakes.embedded import EmbeddedPair
from tests.network.nat.addresses import ICE_SERVERS, RELAY, RELAY_PORT
from tests.network.nat.cells import CONVERSATION, Cell, timeline_file

# Time enough for a busy machine, but for ICE, on which the others wait in vain.
LIMITS = {"answer_s": 20.0, "gathering_s": 20.0, "channel_s": 30.0, "session_s": 30.0}
TIMEOUTS = Timeouts(answer=25.0, ice=6.0, dtls=30.0, channel=40.0, created=35.0)
NETWORKS_AT_ONCE = 4

NAMESPACES = Path("/run/netns")  # where ip-netns(8) keeps them
CLONE_NEWNET = 0x40000000


async def connects(caller: Caller) -> None:
    """Events come, and packets go both ways."""
    await caller.connect()
    await caller.stay_silent(0.5)
    await caller.hang_up()


async def takes_a_turn(caller: Caller) -> None:
    """The caller says something, and hears the reply."""
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


async def call_with_each(folder: Path, network: str) -> None:
    """One call for each set of ICE servers."""
    target = Target(f"http://{RELAY}:{RELAY_PORT}/api/voice/webrtc/session")
    settings = RunSettings(target=target, limits=LIMITS, timeouts=TIMEOUTS)
    async with CallContext.open(settings, EmbeddedPair.for_run) as context:

        async def call(cell: Cell) -> None:
            told = replace(context, target=replace(target, ice_servers=ICE_SERVERS[cell.ice_servers]))
            plan = takes_a_turn if cell == CONVERSATION else connects
            record = await make_call(told, Scenario(plan.__name__, str(cell), plan, ()), call=str(cell))
            timeline_file(folder, cell).write_text(record.timeline.to_jsonl(), encoding="utf-8")

        await asyncio.gather(*(call(Cell(network, ice_servers)) for ice_servers in ICE_SERVERS))


def be_caller(folder: Path, network: str, namespace: str) -> None:
    """Enter the namespace, which this process has to itself, and call from there."""
    descriptor = os.open(NAMESPACES / namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:  # os.setns comes with 3.12
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(descriptor)
    uvloop.run(call_with_each(folder, network))


def main(folder: str, *callers: str) -> None:
    """Call from every network, from a few at a time."""
    if not sys.stdin.readline():
        return  # who started us is gone
    # Forked, since imports are most of what starting costs; a process for each, since it stays where it is.
    fork = multiprocessing.get_context("fork")
    with fork.Pool(NETWORKS_AT_ONCE, maxtasksperchild=1) as pool:
        pool.starmap(be_caller, [(Path(folder), *caller.split("=")) for caller in callers], chunksize=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
