"""When a reply has been heard to its end, by the events and the sound of it."""

from __future__ import annotations

from harness.core.timeline import Timeline
from harness.core.turns import response_id

QUIET_SECONDS = 1.0  # this long without an audible packet is the end of what is said
# Where the upstream says when its audio begins and ends, a pause is no end, and some may be underway then.
LONGEST_PAUSE_SECONDS, UNDERWAY_SECONDS = 5.0, 3.0
NOTHING_HEARD_SECONDS = 3.0  # the first audible packet may come this much after response.done

STARTED = "output_audio_buffer.started"
ENDED = ("output_audio_buffer.stopped", "output_audio_buffer.cleared")


def asked_at(timeline: Timeline) -> float:
    """When the last response was created; 0 where none was."""
    created = timeline.server_events("response.created")
    return created[-1].at if created else 0.0


def is_played_out(timeline: Timeline, now: float, *, last_audible: float, done_at: float) -> bool:
    """Whether the last response, done at `done_at`, has nothing more to be heard. Seconds of the timeline."""
    created = timeline.server_events("response.created")[-1:]
    since = asked_at(timeline)
    told = [
        event
        for event in timeline.server_events(STARTED, *ENDED, after=since)
        if not created or response_id(event) in ("", response_id(created[0]))
    ]
    if told and told[-1].type != STARTED:
        return now - last_audible > QUIET_SECONDS or now - told[-1].at > UNDERWAY_SECONDS
    nothing_heard = last_audible < since
    quiet_since = done_at + NOTHING_HEARD_SECONDS if nothing_heard else max(last_audible, done_at)
    return now - quiet_since > (LONGEST_PAUSE_SECONDS if told else QUIET_SECONDS)
