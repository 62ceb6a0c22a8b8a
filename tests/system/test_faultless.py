"""Nothing is found where nothing is wrong: `make proof` does this a hundred times."""

from __future__ import annotations

import pytest

from harness.core.timeline import Timeline
from tests.system.calling import until_told
from tests.system.conversations import stays_on_the_line, takes_a_turn
from tests.system.faultless import alarms, every_scenario, faultless, make_faultless
from tests.system.planted import Faultless

HARMLESS = [
    Faultless(takes_a_turn, "event-oversized"),  # large, and valid
    Faultless(takes_a_turn, "transcription-failed"),  # a caller may be hard to understand
    Faultless(stays_on_the_line, "session-expired=2"),  # it ends, and says so
]
CALLS = {str(call): call for call in (*faultless(len(every_scenario())), *HARMLESS)}

pytestmark = pytest.mark.timeout(300)  # the first test waits for all calls


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    made = until_told(
        list(CALLS.values()),
        lambda some, side_by_side: make_faultless(some, 1, side_by_side),
        lambda _call, timeline: not alarms(timeline),
    )
    return dict(zip(CALLS, made, strict=True))


@pytest.mark.parametrize("call", CALLS)
def test_a_faultless_call_raises_no_alarm(call: str, timelines: dict[str, Timeline]) -> None:
    assert [f"{v.id}: {v.explanation}" for v in alarms(timelines[call])] == []
