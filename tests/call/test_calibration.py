"""What we measure against a truth that we injected: the reply's delay, and where speech begins and ends."""

from __future__ import annotations

import asyncio
import statistics
from typing import Literal

import pytest

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, make_calls
from harness.call.context import CallContext
from harness.call.waiting import Waiter
from harness.config.run import run_settings
from harness.core.events import PacingMeasured
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.speech.library import load_library

DELAYS_MS = (200, 600, 1500)
# What we and the fake may be off where neither was late; how late each was, its pacer tells.
ERROR_MS = 30
BOUNDARY_MS = 150
SILENCE_MS = 500  # the default of a session: what is further apart is another utterance


async def calls(options: EmbeddedOptions, plans: list[Scenario], concurrency: int) -> list[CallRecord]:
    async with CallContext.open(run_settings(seed=1), lambda _settings: EmbeddedPair(options)) as context:
        return await make_calls(context, plans, concurrency=concurrency)


def latencies_ms(timeline: Timeline) -> list[float]:
    return [1000 * turn.latency for turn in turns(timeline) if turn.latency is not None]


def lateness_ms(timeline: Timeline, percentile: Literal["p99", "max"]) -> float:
    """By how much either end sent late: what was said then was said later than it is taken for."""
    measured = timeline.all(PacingMeasured, side=None)
    assert {event.side for event in measured} == {"caller", "upstream"}
    return max(float(getattr(event, percentile)) for event in measured)


def questions() -> Scenario:
    @scenario()
    async def three_questions(caller: Caller) -> None:
        """A caller asks three times."""
        await caller.connect()
        for _ in range(3):
            await caller.say("en-m-yes")
            await caller.hear_reply()
        await caller.hang_up()

    return three_questions


async def test_measured_latency_follows_the_injected_delay_with_a_constant_offset() -> None:
    """The offset is the session's silence duration and the detector's lag; the reply is a tone at once."""
    runs = await asyncio.gather(
        *(
            calls(EmbeddedOptions(voice="mark", conversation={"reply_delay_ms": d}), [questions()], 1)
            for d in DELAYS_MS
        )
    )
    measured = {d: latencies_ms(run[0].timeline) for d, run in zip(DELAYS_MS, runs, strict=True)}
    assert all(len(found) == 3 for found in measured.values()), measured
    offsets = {d: statistics.median(found) - d for d, found in measured.items()}
    middle = statistics.median(offsets.values())
    errors = {d: offset - middle for d, offset in offsets.items()}
    late = max(lateness_ms(run[0].timeline, "p99") for run in runs)
    assert max(map(abs, errors.values())) <= ERROR_MS + late, (measured, offsets)


SPEECH = [
    name
    for name in load_library()
    if load_library().clip(name).speech
    and load_library().clip(name).role not in ("assistant", "backchannel", "generated", "source")
]


def saying(clip: str) -> Scenario:
    async def plan(caller: Caller) -> None:
        await caller.connect()
        await caller.stay_silent(
            0.5
        )  # longer than the prefix padding, which is cut off at the stream's start
        await caller.say(clip)
        await caller.stay_silent(1.2)
        stopped = Waiter(caller.line.timeline)
        for _ in load_library().clip(clip).utterances(SILENCE_MS):  # a busy machine hears their ends later
            await stopped.server_event("input_audio_buffer.speech_stopped", within=10)
        await caller.hang_up()

    return Scenario(clip, f"A caller says {clip}.", plan, ("turns",))


@pytest.fixture(scope="module")
def detections() -> dict[str, Timeline]:
    """A real call for each speech fixture, six side by side, with replies out of the way."""
    options = EmbeddedOptions(conversation={"reply_delay_ms": 3000})
    records = asyncio.run(calls(options, [saying(clip) for clip in SPEECH], 6))
    return {record.scenario.name: record.timeline for record in records}


@pytest.mark.parametrize("clip", SPEECH)
def test_speech_is_detected_where_the_manifest_says(clip: str, detections: dict[str, Timeline]) -> None:
    said = [turn for turn in turns(detections[clip]) if turn.utterance is not None]
    assert said
    assert all(turn.utterance is not None for turn in turns(detections[clip])), "a turn that nobody spoke"
    most = BOUNDARY_MS + lateness_ms(detections[clip], "max")
    for turn in said:
        starts = [d.start for d in turn.detections if d.start is not None]
        ends = [d.end for d in turn.detections if d.end is not None]
        assert turn.utterance is not None
        assert 1000 * (min(starts) - turn.utterance.start) == pytest.approx(0, abs=most)
        assert 1000 * (max(ends) - turn.utterance.end) == pytest.approx(0, abs=most)
