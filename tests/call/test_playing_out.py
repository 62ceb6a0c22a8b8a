"""When a reply is over, to those who hear it and to those who are told."""

from __future__ import annotations

import pytest

from harness.call.playing_out import (
    LONGEST_PAUSE_SECONDS,
    NOTHING_HEARD_SECONDS,
    QUIET_SECONDS,
    UNDERWAY_SECONDS,
    is_played_out,
)
from harness.core.events import ServerEvent
from harness.core.timeline import Timeline

DONE = 3.0  # response.done: long before the audio has been played


def told(*said: tuple[float, str, str]) -> Timeline:
    """Response a, created at 2 s, and what was said of the playing."""
    timeline = Timeline()
    created = {"type": "response.created", "response": {"id": "a"}}
    timeline.append(ServerEvent(at=2.0, event=created))
    for at, change, response in said:
        event = {"type": f"output_audio_buffer.{change}", "response_id": response}
        timeline.append(ServerEvent(at=at, event=event))
    return timeline


def over_after(timeline: Timeline, last_audible: float) -> float:
    """The first moment, to 10 ms, at which the reply is over; how long that is after its last sound."""
    moments = (last_audible + n / 100 for n in range(2000))
    return next(
        round(at - last_audible, 2)
        for at in moments
        if at > DONE and is_played_out(timeline, at, last_audible=last_audible, done_at=DONE)
    )


STARTED, STOPPED = (2.5, "started", "a"), (8.0, "stopped", "a")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ((), QUIET_SECONDS),
        ((STARTED,), LONGEST_PAUSE_SECONDS),
        ((STARTED, STOPPED), QUIET_SECONDS),
        ((STARTED, (8.0, "cleared", "a")), QUIET_SECONDS),
        # What is said of the reply before says nothing of this one.
        ((STARTED, (8.0, "stopped", "before")), LONGEST_PAUSE_SECONDS),
        # One that leaves the name out means the one there is.
        ((STARTED, (8.0, "stopped", "")), QUIET_SECONDS),
    ],
)
def test_a_pause_is_an_end_where_nobody_says_when_it_ends(
    said: tuple[tuple[float, str, str], ...], seconds: float
) -> None:
    assert over_after(told(*said), 8.0) == pytest.approx(seconds, abs=0.011)


def test_what_is_underway_when_the_upstream_has_ended_is_waited_for_and_not_for_ever() -> None:
    timeline = told(STARTED, STOPPED)
    for late in (0.1, 1.0, UNDERWAY_SECONDS - 0.1):
        pause = QUIET_SECONDS - 0.1
        assert not is_played_out(timeline, 8.0 + late, last_audible=8.0 + late - pause, done_at=DONE)
    noisy = 8.0 + UNDERWAY_SECONDS + 0.01
    assert is_played_out(timeline, noisy, last_audible=noisy - 0.02, done_at=DONE)


def test_what_is_never_heard_is_given_time_to_begin() -> None:
    timeline, before = told(), 1.0
    over = DONE + NOTHING_HEARD_SECONDS + QUIET_SECONDS
    assert not is_played_out(timeline, over - 0.01, last_audible=before, done_at=DONE)
    assert is_played_out(timeline, over + 0.01, last_audible=before, done_at=DONE)
