"""What the fake OpenAI saw of saved calls, added to them: `python -m tests.network.nat.collecting FOLDER`.

Run in the fake's namespace, since callers in most of the networks cannot reach its management.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from harness.call.upstream import FakeUpstream
from harness.config.timeouts import Timeouts
from harness.core.clock import MonotonicClock
from harness.core.events import CallStarted
from harness.core.timeline import Timeline
from tests.network.nat.addresses import FAKE
from tests.network.nat.cells import CELLS, timeline_file


async def both_ends(timelines: list[Timeline]) -> list[Timeline]:
    """Grey-box timelines of calls that were made black-box."""
    upstream = FakeUpstream(FAKE, MonotonicClock(), token=os.environ["HARNESS_FAKE_TOKEN"])
    try:
        return [await _with_upstream(timeline, upstream) for timeline in timelines]
    finally:
        await upstream.close()


async def _with_upstream(timeline: Timeline, upstream: FakeUpstream) -> Timeline:
    started, *rest = timeline
    assert isinstance(started, CallStarted)
    # What connected was released by the hang-up; the rest, which nobody waits for, when its time is up.
    within = Timeouts().hang_up if timeline.state("channel", "open") else 0.0
    calls = await upstream.calls_when_ended(started.ufrag, within)
    seen = [event for call in calls for event in call.on_timeline(started.origin)]
    return Timeline([msgspec.structs.replace(started, mode="grey-box"), *rest, *seen])


def main(folder: Path) -> None:
    """Complete the timeline of every call that was made."""
    made = [cell for cell in CELLS if timeline_file(folder, cell).exists()]
    read = [Timeline.from_jsonl(timeline_file(folder, cell).read_text(encoding="utf-8")) for cell in made]
    for cell, timeline in zip(made, asyncio.run(both_ends(read)), strict=True):
        timeline_file(folder, cell, both_ends=True).write_text(timeline.to_jsonl(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
