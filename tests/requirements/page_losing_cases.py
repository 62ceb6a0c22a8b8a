"""What provokes each cause that only a probe of a page shows."""

from __future__ import annotations

from harness.core.events import (
    CallEnded,
    ConnectionUsed,
    Event,
    MicrophoneAsked,
    MicrophoneGiven,
    NetworkImpaired,
    StateChanged,
    TextShown,
    TrackChanged,
    UserLeft,
)
from tests.requirements.cases import case
from tests.requirements.page_cases import left
from tests.requirements.page_talking_cases import waited_for
from tests.support.editing import a, changed
from tests.support.page_timelines import PLAYING, page_events, played, used

Events = list[Event]


def weak(*, light: float, end: float) -> Events:
    """A call whose network is dark from 7.9 s on, so that the browser is disconnected at 13 s."""
    released = CallEnded(at=end + 0.05, side="upstream", reason="hang-up")
    return [
        *(e for e in page_events() if e.at < 7.9),
        NetworkImpaired(at=7.9, name="blackout", seconds=40.0),
        StateChanged(at=13.0, layer="ice", state="disconnected"),
        NetworkImpaired(at=light, name="clear"),
        *left(end),
        released,
    ]


def closing(at: float) -> Events:
    return [
        used(at, "close channel"),
        used(at + 0.001, "close"),
        TrackChanged(at=at + 0.002, track="voice", ended=True),
    ]


@case("page.survives-short-loss", "gave-up-too-early")
def disconnected_is_taken_for_the_end() -> Events:
    text = TextShown(at=13.12, text="The connection was lost.")
    return [*weak(light=16.0, end=22.0), *closing(13.1), text]


@case("page.notices-loss", "loss-not-noticed")
def nothing_is_made_of_a_lost_network() -> Events:
    clock = [TextShown(at=float(second), text=f"{second} s") for second in range(14, 40)]
    return [*weak(light=35.0, end=45.0), *clock]


@case("page.notices-loss", "loss-not-told")
def a_lost_call_is_given_up_in_silence() -> Events:
    return [*weak(light=35.0, end=45.0), *closing(23.0), TextShown(at=23.1, text="Start call")]


@case("page.notices-loss", "loss-not-told")
def what_was_said_before_tells_nothing() -> Events:
    """The page falls back to what it showed at its beginning."""
    again = TextShown(at=23.1, text="Press the button to begin.")
    return [*weak(light=35.0, end=45.0), *closing(23.0), again]


@case("page.renews-call", "not-renewed")
def a_lost_call_stays_lost() -> Events:
    return [*weak(light=35.0, end=45.0), *closing(23.0), TextShown(at=23.1, text="The connection was lost.")]


@case("page.renews-call", "restart-without-offer")
def ice_is_restarted_in_name_only() -> Events:
    told = TextShown(at=13.1, text="The network is weak. One moment …")
    return [*weak(light=35.0, end=45.0), used(13.05, "restartIce"), told]


@case("page.leaving-releases", "call-goes-on-behind")
def the_call_outlives_its_view() -> Events:
    early = [e for e in page_events() if e.at < 7.9]
    released = CallEnded(at=12.05, side="upstream", reason="hang-up")
    return [*early, UserLeft(at=7.95, how="back"), *left(12.0), released]


@case("page.clean-up-order", "channel-after-connection")
def the_channel_is_closed_last() -> Events:
    return changed(page_events(), a(ConnectionUsed, method="close channel"), at=8.02)


@case("page.clean-up-order", "element-kept")
def the_element_keeps_its_stream() -> Events:
    return waited_for([*page_events(), played(8.015, *PLAYING)])


@case("page.waits-for-microphone", "gave-up-on-microphone")
def no_patience_with_a_headset() -> Events:
    asked = [e for e in page_events() if e.at < 0.0175]
    assert any(isinstance(e, MicrophoneAsked) for e in asked)
    return [*asked, used(0.32, "close"), MicrophoneGiven(at=0.75, track="voice"), *left(8.0)]


@case("page.waits-for-microphone", "offered-without-microphone")
def the_offer_is_quicker_than_the_headset() -> Events:
    events = changed(page_events(), a(MicrophoneGiven), at=0.75)
    return changed(events, a(ConnectionUsed, method="addTrack"), at=0.76)
