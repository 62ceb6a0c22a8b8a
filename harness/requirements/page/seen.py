"""What a page's timeline shows of its connection, its microphone and its words."""

from __future__ import annotations

from harness.core.events import (
    ButtonPressed,
    ConnectionMade,
    ConnectionUsed,
    MicrophoneAsked,
    MicrophoneGiven,
    TextShown,
    TrackChanged,
)
from harness.core.timeline import Timeline
from harness.requirements.conditions import started
from harness.requirements.model import Condition, NotApplicable

WEBRTC = "https://www.w3.org/TR/webrtc/"


def _no_page(timeline: Timeline) -> NotApplicable | None:
    if started(timeline).caller != "page":
        return NotApplicable("no web page made this call")
    return None


def _not_started(timeline: Timeline) -> NotApplicable | None:
    if pressed(timeline, "start") is None:
        return NotApplicable("the page was not asked to make a call")
    return None


def _no_offer(timeline: Timeline) -> NotApplicable | None:
    if the_connection(timeline) == 0:
        return NotApplicable("the page made no offer")
    return None


def _without_microphone(timeline: Timeline) -> NotApplicable | None:
    if the_connection(timeline) or timeline.first(MicrophoneGiven) is not None:
        return None
    return NotApplicable("the page was given no microphone, and made no offer")


PAGE = Condition("a web page made the call", _no_page)
STARTED = Condition("the page's button was pressed", _not_started)
OFFERING = Condition("the page made an offer", _no_offer)
MAY_OFFER = Condition("the page was given the microphone, or made an offer without", _without_microphone)


def pressed(timeline: Timeline, what: str) -> ButtonPressed | None:
    """The last time that a button of this use was pressed: a dialog in between has its own."""
    return timeline.last(ButtonPressed, where=lambda e: e.what == what)


def the_connection(timeline: Timeline) -> int:
    """The number of the call's connection; 0 for none.

    The first that was given an answer, else the first that was given a description of its own.
    """
    for method in ("setRemoteDescription", "setLocalDescription"):
        found = timeline.first(ConnectionUsed, where=lambda e, m=method: e.method == m and not e.error)
        if found is not None:
            return found.connection
    return 0


def uses(timeline: Timeline, *methods: str) -> list[ConnectionUsed]:
    """What the page called of the call's connection."""
    number = the_connection(timeline)
    return timeline.all(ConnectionUsed, where=lambda e: e.connection == number and e.method in methods)


def closed_by_page(timeline: Timeline) -> ConnectionUsed | None:
    """When the page closed the call's connection itself."""
    return next(iter(uses(timeline, "close")), None)


def configuration(timeline: Timeline) -> ConnectionMade | None:
    """How the call's connection was made."""
    number = the_connection(timeline)
    return timeline.first(ConnectionMade, where=lambda e: e.connection == number)


def asked(timeline: Timeline) -> MicrophoneAsked | None:
    """When the page asked for the microphone."""
    return timeline.first(MicrophoneAsked)


def tracks_at(timeline: Timeline, at: float, *, received: bool) -> dict[str, TrackChanged]:
    """Each track that was told of by then, as it was."""
    changes = timeline.all(TrackChanged, where=lambda e: e.received == received and e.at <= at)
    return {change.track: change for change in changes}


def shown(timeline: Timeline, after: float, before: float = float("inf")) -> list[TextShown]:
    """What appeared on the page in that time."""
    return timeline.all(TextShown, after=after, before=before)
