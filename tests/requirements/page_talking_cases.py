"""What provokes each cause in page, once its offer was made."""

from __future__ import annotations

from harness.call.page_end import RELEASE_SECONDS
from harness.core.events import (
    CallEnded,
    ConnectionUsed,
    Event,
    ListenerAdded,
    MicrophoneGiven,
    NetworkImpaired,
    PageLeft,
    PlaybackChanged,
    PlayPath,
    SendingStarted,
    ServerEvent,
    StateChanged,
    StretchHeard,
    TextShown,
    TrackChanged,
    UtteranceStarted,
)
from tests.requirements.cases import case
from tests.requirements.page_cases import left
from tests.support.editing import a, changed, without
from tests.support.page_timelines import page_events, played, used
from tests.support.timelines import client

Events = list[Event]


# --- talking ---


@case("page.sends-after-open", "sent-before-open")
def an_event_too_early() -> Events:
    error = "InvalidStateError: RTCDataChannel.readyState is not 'open'"
    return [*page_events(), used(0.025, "send", detail="connecting", error=error)]


@case("page.listens-in-time", "listens-late")
def the_listener_comes_late() -> Events:
    return changed(page_events(), a(ListenerAdded, on="channel"), at=0.9)


@case("page.listens-in-time", "never-listens")
def nobody_listens() -> Events:
    return without(page_events(), a(ListenerAdded, on="channel"))


@case("page.update-shape", "beta-shape")
def fields_of_the_beta() -> Events:
    session = {"modalities": ["audio"], "turn_detection": {"type": "server_vad"}}
    return [
        *without(page_events(), a(ServerEvent, "session.updated"), lambda e: e == _update(page_events())),
        client(0.5, "session.update", session=session),
    ]


@case("page.update-shape", "beta-shape")
def a_session_without_a_type() -> Events:
    return [
        *without(page_events(), a(ServerEvent, "session.updated"), lambda e: e == _update(page_events())),
        client(0.5, "session.update", session={"instructions": "Be brief."}),
    ]


def _update(events: Events) -> Event:
    return next(e for e in events if getattr(e, "type", "") == "session.update")


@case("page.ready-when-open", "ready-too-early")
def ready_before_it_is() -> Events:
    return [*page_events(), TextShown(at=0.1, text="Listening …")]


@case("page.ready-when-open", "ready-too-early")
def ready_before_it_is_in_spanish() -> Events:
    return [*page_events(), TextShown(at=0.1, text="Te escucho")]


def unheard() -> Events:
    """Nothing that was said arrived, so nothing came back."""
    spoken = [e for e in page_events() if isinstance(e, ServerEvent) and e.at > 0.9]
    events = without(page_events(), a(StretchHeard), lambda e: e in spoken)
    told = ("AudioPlayed", "BeginningCompared", "AudioCompared", "MarkHeard")
    return [e for e in events if type(e).__name__ not in told]


@case("page.microphone-sent", "track-disabled")
def said_into_a_muted_track() -> Events:
    muted = changed(unheard(), a(UtteranceStarted), muted=True)
    return [*muted, TrackChanged(at=0.0205, track="voice", enabled=False)]


@case("page.microphone-sent", "track-ended")
def said_into_an_ended_track() -> Events:
    return [
        *changed(unheard(), a(UtteranceStarted), muted=True),
        TrackChanged(at=0.2, track="voice", ended=True),
    ]


@case("page.microphone-sent", "track-not-sent")
def said_and_not_sent() -> Events:
    return changed(
        without(unheard(), a(SendingStarted)),
        a(ConnectionUsed, method="addTrack"),
        method="addTransceiver",
    )


# --- playing ---


def with_paths(*paths: PlayPath) -> Events:
    return [*without(page_events(), a(PlaybackChanged)), played(0.16, *paths), played(8.013)]


@case("page.reply-played", "no-element")
def played_by_nothing() -> Events:
    return with_paths()


@case("page.reply-played", "track-missed")
def the_track_comes_before_its_listener() -> Events:
    return changed(with_paths(), a(ListenerAdded, type="track"), at=0.5)


@case("page.reply-played", "element-paused")
def the_element_is_paused() -> Events:
    return with_paths(PlayPath(by="element", state="paused"))


@case("page.reply-played", "element-muted")
def the_element_is_muted() -> Events:
    return with_paths(PlayPath(by="element", state="muted"))


@case("page.reply-played", "element-muted")
def the_element_has_no_volume() -> Events:
    return with_paths(PlayPath(by="element", state="silent"))


@case("page.reply-played", "play-refused")
def the_browser_refuses_to_play() -> Events:
    error = "NotAllowedError: play() failed because the user didn't interact with the document first."
    return with_paths(PlayPath(by="element", state="refused", error=error))


@case("page.reply-played", "context-suspended")
def the_context_does_not_run() -> Events:
    return with_paths(PlayPath(by="web-audio", state="suspended"))


@case("page.reply-played", "context-suspended")
def a_muted_element_beside_a_suspended_context() -> Events:
    """The element is there to make Chromium decode; the context was meant to be heard."""
    return with_paths(PlayPath(by="element", state="muted"), PlayPath(by="web-audio", state="suspended"))


@case("page.reply-played", "not-connected")
def only_a_visualizer() -> Events:
    return with_paths(PlayPath(by="web-audio", state="unconnected"))


@case("page.reply-played", "track-disabled")
def the_received_track_is_disabled() -> Events:
    return [*page_events(), TrackChanged(at=1.0, track="reply", received=True, enabled=False)]


# --- ending ---


def never_open(at: float) -> Events:
    """ICE, DTLS and the answer, and no channel; until then the microphone may have been stopped."""
    early = [e for e in page_events() if e.at < 0.33 and not isinstance(e, TextShown | StretchHeard)]
    closed = a(StateChanged, layer="sctp")
    released = CallEnded(at=at + 0.05, side="upstream", reason="hang-up")
    return [*without(early, closed), *left(at), released]


@case("page.gives-up", "waits-for-ever")
def waiting_for_ever() -> Events:
    return _unblamed(never_open(9.0))


@case("page.gives-up", "gives-up-silently")
def giving_up_in_silence() -> Events:
    events = [used(5.2, "close"), TrackChanged(at=5.201, track="voice", ended=True)]
    return _unblamed([*never_open(9.0), *events, TextShown(at=5.3, text="Start call")])


def _unblamed(events: Events) -> Events:
    """The network is cut off on purpose, so nobody is to blame that the channel stays closed."""
    return [*events, NetworkImpaired(at=0.27, name="blackout", seconds=60.0)]


@case("page.stop-releases", "connection-left-open")
def the_connection_is_left_open() -> Events:
    return waited_for(without(page_events(), a(ConnectionUsed, method="close")))


@case("page.stop-releases", "microphone-left-on")
def the_microphone_is_left_on() -> Events:
    return waited_for(without(page_events(), a(TrackChanged, ended=True)))


@case("page.stop-releases", "microphone-left-on")
def a_clone_is_left_on() -> Events:
    return waited_for([*page_events(), MicrophoneGiven(at=0.0205, track="another")])


def waited_for(events: Events) -> Events:
    """A page that lets go of nothing is closed by us, once the wait for it is over."""
    return changed(events, a(PageLeft), at=lambda at: at + RELEASE_SECONDS)
