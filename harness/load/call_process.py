"""The process that makes a Locust worker's calls: asyncio alone, so that gevent's patches never meet it.

It reads one JSON line for each call to make and writes one for each call made. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import uvloop

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.desk import Desk
from harness.config.run import run_settings
from harness.core.errors import HarnessError
from harness.core.stages import durations
from harness.fakes.embedded import EmbeddedPair
from harness.requirements.judging import judge
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY

AREAS = ("signaling", "connectivity", "session", "turns", "audio", "lifecycle")


@scenario(areas=AREAS)
async def one_turn(caller: Caller) -> None:
    """A caller says one thing, is answered, and hangs up."""
    await caller.connect()
    await caller.say("en-f-order")
    await caller.hear_reply()
    await caller.hang_up()


PLANS: dict[str, Scenario] = {one_turn.name: one_turn}


def outcome(record: CallRecord) -> dict[str, Any]:
    """Stage durations in ms, and the first failed requirement, judged as a scenario is."""
    verdicts = judge([record.timeline], REGISTRY.select(areas=record.scenario.areas))
    failed = next((v for v in verdicts if v.outcome in (Outcome.FAILED, Outcome.ERROR)), None)
    return {
        "stages": {name: [1000 * s for s in found] for name, found in durations(record.timeline).items()},
        "seconds": max((event.at for event in record.timeline), default=0.0),
        "failure": f"{failed.id}: {failed.cause or failed.explanation}" if failed else None,
    }


async def serve(host: str) -> None:
    """Make calls until the input ends; without a host the embedded pair is the target."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with (
        Desk.open(run_settings(target=host or None), EmbeddedPair.for_run) as desk,
        asyncio.TaskGroup() as group,
    ):
        _write({"ready": True, "target": desk.target.shown_url})
        while line := await lines.readline():
            order = json.loads(line)
            group.create_task(_make(desk, order["id"], PLANS[order["plan"]]))


async def _make(desk: Desk, order: int, plan: Scenario) -> None:
    record = await make_call(desk, plan, call=f"{order:06d}-{plan.name}")
    _write({"id": order, **outcome(record)})


def _write(reply: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve the host named on the command line, or the embedded pair."""
    try:
        uvloop.run(serve(sys.argv[1] if len(sys.argv) > 1 else ""))
    except* HarnessError as errors:
        _write({"error": "; ".join(map(str, errors.exceptions))})


if __name__ == "__main__":
    main()
