"""What the fake OpenAI saw of saved calls, added to them: `python -m tests.network.nat.collecting FOLDER`.

Run in the fake's namespace, since callers in most of the networks cannot reach its management. Writes
`NAME.grey.jsonl` beside each `NAME.jsonl`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.call.upstream import Upstream
from harness.core.clock import MonotonicClock
from harness.core.events import CallStarted
from harness.core.timeline import Timeline
from tests.network.nat.addresses import FAKE


async def with_upstream_views(timelines: Sequence[Timeline]) -> list[Timeline]:
    """Grey-box timelines of calls that were made black-box."""
    upstream = Upstream(FAKE, MonotonicClock(), token=os.environ["HARNESS_FAKE_TOKEN"])
    try:
        return [await _with_upstream_view(timeline, upstream) for timeline in timelines]
    finally:
        await upstream.close()


async def _with_upstream_view(timeline: Timeline, upstream: Upstream) -> Timeline:
    started, *rest = timeline
    assert isinstance(started, CallStarted)
    seen = [
        event for call in await upstream.calls(started.ufrag) for event in call.on_timeline(started.origin)
    ]
    return Timeline([msgspec.structs.replace(started, mode="grey-box"), *rest, *seen])


def main(folder: Path) -> None:
    """Complete every timeline below the folder."""
    files = sorted(folder.rglob("*.jsonl"))
    timelines = [Timeline.from_jsonl(file.read_text(encoding="utf-8")) for file in files]
    complete = asyncio.run(with_upstream_views(timelines))
    for file, timeline in zip(files, complete, strict=True):
        file.with_suffix(".grey.jsonl").write_text(timeline.to_jsonl(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
