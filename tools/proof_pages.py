"""The parts of the proof about real browsers: pages without a fault, and how exactly speech is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from statistics import fmean, median, pstdev

import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.cli.page import TIMEOUTS
from harness.config.run import run_settings
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.fakes.embedded import EmbeddedPair
from tests.browser.calling import make_page_calls
from tests.browser.page_faults import PlantedPage
from tests.system.faultless import Part, false_alarms

PAGE_CALLS = 50
SIDE_BY_SIDE = 2  # cores
SPOKEN_CALLS = 12  # of each kind
CLIP = "en-m-yes"
DELAYS_MS = (0, 250, 500)  # that the fake takes to answer, in turn
NEAR_MS = 40.0  # of the injected delay and a constant
KINDS = ("aiortc", "chromium")


def prove_pages(number: int, _seed: int) -> Part:
    """False alarms in ordinary calls of the reference page: English and Spanish, either bundle policy."""
    balanced = PlantedPage("", "", says=True, language="es", query="&bundle=balanced")
    faultless = (PlantedPage("", "", says=True), balanced)
    pages = list(islice(cycle(faultless), min(number, PAGE_CALLS)))
    found = false_alarms(make_page_calls(pages, SIDE_BY_SIDE, limits={}, timeouts=TIMEOUTS))
    return Part(found.figures, found.wrong)


def prove_speech(_number: int, seed: int) -> Part:
    """Where the detector of the fake places speech, and what a reply takes beyond a planted delay."""
    figures: dict[str, object] = {"calls_of_each_kind": SPOKEN_CALLS, "seed": seed}
    wrong: list[str] = []
    for kind in KINDS:
        made = uvloop.run(_spoken_calls(kind, seed))
        starts, ends, beyond = _placed(made)
        if not beyond:
            wrong.append(f"{kind}: no call came to a reply")
            continue
        constant = median(beyond)
        figures[f"{kind}_speech_start_off_by_ms"] = _spread(starts)
        figures[f"{kind}_speech_end_off_by_ms"] = _spread(ends)
        figures[f"{kind}_reply_beyond_its_delay_ms"] = _spread(beyond)
        near = sum(abs(each - constant) <= NEAR_MS for each in beyond)
        figures[f"{kind}_replies_within_{NEAR_MS:.0f}_ms_of_that"] = f"{near} of {len(beyond)}"
    return Part(figures, wrong)


def _placed(made: Sequence[tuple[int, Timeline]]) -> tuple[list[float], list[float], list[float]]:
    """In ms: by how much start and end of speech are off, and what a reply took beyond its delay."""
    starts: list[float] = []
    ends: list[float] = []
    beyond: list[float] = []
    for delay, timeline in made:
        for turn in turns(timeline):
            if turn.utterance is None or not turn.detections:
                continue
            first, last = turn.detections[0], turn.detections[-1]
            starts += [1000 * (first.start - turn.utterance.start)] if first.start is not None else []
            ends += [1000 * (last.end - turn.utterance.end)] if last.end is not None else []
            beyond += [1000 * turn.latency - delay] if turn.latency is not None else []
    return starts, ends, beyond


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.0f} ± {pstdev(values):.0f}" if values else ""


def _answers_after(delay_ms: int) -> Scenario:
    async def answers_late(caller: Caller) -> None:
        await caller.reconnect.will_lose_call("response-slow", delay_ms)
        await caller.connect()
        await caller.stay_silent(1.0)  # the padding before speech would begin before the call
        await caller.say(CLIP)
        await caller.hear_reply()
        await caller.hang_up()

    return Scenario("answers_late", f"A reply takes {delay_ms} ms more", answers_late, ())


async def _spoken_calls(kind: str, seed: int) -> list[tuple[int, Timeline]]:
    settings = replace(run_settings(caller=kind, seed=seed), timeouts=TIMEOUTS)
    made = []
    async with CallContext.open(settings, EmbeddedPair.for_run) as context:
        for number, delay in enumerate(islice(cycle(DELAYS_MS), SPOKEN_CALLS)):
            record = await make_call(context, _answers_after(delay), call=f"{number:03d}")
            made.append((delay, record.timeline))
    return made
