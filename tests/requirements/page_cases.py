"""What provokes each cause in page."""

from __future__ import annotations

from harness.core.events import (
    AnswerReceived,
    ButtonPressed,
    CallEnded,
    ConnectionMade,
    ConnectionUsed,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    ListenerAdded,
    MicrophoneAsked,
    MicrophoneGiven,
    MicrophoneRefused,
    NetworkImpaired,
    OfferCreated,
    PageErred,
    PageLeft,
    PageOpened,
    PlaybackChanged,
    PlayPath,
    SecretSeen,
    SendingStarted,
    ServerEvent,
    StateChanged,
    StepEnded,
    StepStarted,
    StretchHeard,
    TextShown,
    TrackChanged,
    UtteranceStarted,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, without
from tests.support.page_timelines import URL, beginning, page_events, played, used
from tests.support.timelines import OFFER, call_started, client, signaling

Events = list[Event]


def left(at: float) -> Events:
    """The caller gives up, and closes the page."""
    return [
        StepStarted(at=at, step="hang up"),
        PageLeft(at=at + 0.01, url=URL),
        StepEnded(at=at + 0.02, step="hang up"),
        CallEnded(at=at + 0.03, reason="the page did not come to a call"),
    ]


def opened() -> Events:
    """Up to the button."""
    return [call_started(), *(e for e in beginning() if e.at < 0.015)]


# --- asking ---


@case("page.stays", "navigated-away")
def another_document_in_mid_call() -> Events:
    elsewhere = PageOpened(at=0.2, url="http://127.0.0.1:3000/chat/1")
    return [*opened(), PageLeft(at=0.1, url=URL), elsewhere, *left(8.0)]


@case("page.asks-for-microphone", "not-asked")
def nothing_happens() -> Events:
    return [*opened(), *left(8.0)]


@case("page.asks-for-microphone", "insecure-page")
def no_media_devices() -> Events:
    error = "TypeError: Cannot read properties of undefined (reading 'getUserMedia')"
    events = changed(opened(), a(PageOpened), url="http://192.168.7.2:3000/")
    return [*events, PageErred(at=0.02, source="console", message=error), *left(8.0)]


@case("page.microphone-constraints", "echo-cancellation-off")
def echo_is_not_cancelled() -> Events:
    return changed(page_events(), a(MicrophoneAsked), constraints={"audio": {"echoCancellation": False}})


@case("page.microphone-constraints", "echo-cancellation-off")
def echo_must_not_be_cancelled() -> Events:
    constraints = {"audio": {"echoCancellation": {"exact": False}}}
    return changed(page_events(), a(MicrophoneAsked), constraints=constraints)


@case("page.refusal-told", "refusal-not-told")
def a_refusal_in_silence() -> Events:
    refused = MicrophoneRefused(at=0.1, error="NotAllowedError", message="Permission denied")
    return [*opened(), MicrophoneAsked(at=0.05), refused, TextShown(at=0.2, text="Start"), *left(4.0)]


@case("page.no-uncaught-errors", "uncaught-error")
def an_error_that_nobody_catches() -> Events:
    return [*page_events(), PageErred(at=3.0, source="uncaught", message="TypeError: x is not a function")]


@case("page.no-uncaught-errors", "unhandled-rejection")
def a_rejection_that_nobody_handles() -> Events:
    return [*page_events(), PageErred(at=3.0, source="unhandled", message="AbortError: interrupted")]


# --- offering ---


def another_connection(at: float) -> Events:
    made = ConnectionMade(at=at, connection=2, configuration={"iceServers": [{"urls": "stun:a"}]})
    return [made, ConnectionUsed(at=at + 0.01, connection=2, method="setLocalDescription")]


def closed_in_the_end() -> Events:
    return [ConnectionUsed(at=8.011, connection=2, method="close")]


@case("page.one-connection", "two-connections")
def two_connections() -> Events:
    return [*page_events(), *another_connection(0.04), *closed_in_the_end()]


@case("page.one-connection", "double-click")
def two_clicks() -> Events:
    events = changed(page_events(), a(ButtonPressed, what="start"), times=2)
    return [*events, *another_connection(0.04), *closed_in_the_end()]


@case("page.ice-policies", "relay-only-without-turn")
def relayed_by_nobody() -> Events:
    configuration = {"iceServers": [{"urls": ["stun:a"]}], "iceTransportPolicy": "relay"}
    return changed(page_events(), a(ConnectionMade), configuration=configuration)


@case("page.ice-policies", "not-bundled")
def a_transport_for_each() -> Events:
    configuration = {"iceServers": [{"urls": "stun:a"}], "bundlePolicy": "max-compat"}
    return changed(page_events(), a(ConnectionMade), configuration=configuration)


@case("page.ice-policies", "no-ice-servers")
def no_server_at_all() -> Events:
    return changed(page_events(), a(ConnectionMade), configuration={})


def refused_without_channel() -> Events:
    """The offer lacks its data section."""
    bare = OFFER.partition("m=application")[0]
    kept = (AnswerReceived, HttpResponse)
    offer = [e for e in signaling() if e.side == "caller" and not isinstance(e, kept)]
    return [
        *changed(changed(offer, a(OfferCreated), sdp=bare), a(HttpRequest), body=bare),
        HttpResponse(
            at=0.15, status=400, body='{"error":{"code":"invalid_offer","message":"no data channel"}}'
        ),
    ]


@case("page.channel-before-offer", "channel-after-offer")
def the_channel_comes_after_the_offer() -> Events:
    bare = OFFER.partition("m=application")[0]
    early = changed(beginning(), a(ConnectionUsed, method="createOffer", detail="done"), sdp=bare)
    early = changed(early, a(ConnectionUsed, method="createDataChannel"), at=0.031)
    return [call_started(), *early, *refused_without_channel(), *left(4.0)]


@case("page.channel-before-offer", "no-channel")
def there_is_no_channel() -> Events:
    bare = OFFER.partition("m=application")[0]
    early = changed(beginning(), a(ConnectionUsed, method="createOffer", detail="done"), sdp=bare)
    early = without(early, a(ConnectionUsed, method="createDataChannel"), a(ListenerAdded, on="channel"))
    return [call_started(), *early, *refused_without_channel(), *left(4.0)]


@case("page.offer-sent", "not-sent")
def the_offer_goes_nowhere() -> Events:
    return [call_started(), *beginning(), *left(8.0)]


@case("page.offer-sent", "blocked-by-browser")
def the_browser_blocks_it() -> Events:
    said = "Access to fetch has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header"
    kept = [e for e in signaling() if isinstance(e, OfferCreated | HttpRequest) and e.side == "caller"]
    return [
        call_started(),
        *beginning(),
        *kept,
        HttpFailed(at=0.1, failure="blocked", detail="net::ERR_FAILED"),
        PageErred(at=0.101, source="console", message=said),
        *left(4.0),
    ]


@case("page.offer-unchanged", "offer-trimmed")
def the_page_trims_its_offer() -> Events:
    return changed(page_events(), a(ConnectionUsed, method="createOffer", detail="done"), sdp=OFFER + "\r\n")


@case("page.offer-unchanged", "offer-rewritten")
def the_page_rewrites_its_offer() -> Events:
    own = OFFER.replace("a=sendrecv\r\n", "a=sendrecv\r\na=extmap-allow-mixed\r\n")
    return changed(page_events(), a(ConnectionUsed, method="createOffer", detail="done"), sdp=own)


@case("page.does-not-wait-for-gathering", "waits-for-gathering")
def the_offer_waits() -> Events:
    events = changed(page_events(), a(StateChanged, layer="gathering", state="complete"), at=0.0595)
    return [*events, ListenerAdded(at=0.033, connection=1, on="connection", type="icegatheringstatechange")]


@case("page.no-key", "key-in-page")
def a_key_in_a_script() -> Events:
    where = "page: script http://127.0.0.1:3000/app.js"
    return [*page_events(), SecretSeen(at=0.004, where=where, excerpt="sk-[redacted]")]


@case("page.no-key", "key-in-request")
def a_key_in_a_request() -> Events:
    where = "page: request header authorization to http://127.0.0.1:3000/session"
    return [*page_events(), SecretSeen(at=0.06, where=where, excerpt="sk-[redacted]")]


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
    return [e for e in events if type(e).__name__ not in ("AudioPlayed", "AudioCompared", "MarkHeard")]


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
    return [*without(page_events(), a(PlaybackChanged)), played(0.16, *paths)]


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
    return without(page_events(), a(ConnectionUsed, method="close"))


@case("page.stop-releases", "microphone-left-on")
def the_microphone_is_left_on() -> Events:
    return without(page_events(), a(TrackChanged, ended=True))


@case("page.stop-releases", "microphone-left-on")
def a_clone_is_left_on() -> Events:
    return [*page_events(), MicrophoneGiven(at=0.0205, track="another")]
