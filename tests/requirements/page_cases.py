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
    MicrophoneRefused,
    OfferCreated,
    PageErred,
    PageLeft,
    PageOpened,
    SecretSeen,
    StateChanged,
    StepEnded,
    StepStarted,
    TextShown,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, without
from tests.support.page_timelines import URL, beginning, page_events, page_started
from tests.support.timelines import OFFER, signaling

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
    return [page_started(), *(e for e in beginning() if e.at < 0.015)]


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
    events = changed(opened(), a(PageOpened), url="http://192.168.7.2:3000/", secure=False)
    return [*events, *left(8.0)]


def refused_by_the_browser(error: str, *, policy_forbids: bool = False) -> Events:
    asked, told = MicrophoneAsked(at=0.05), TextShown(at=0.2, text="The call could not be made.")
    refused = MicrophoneRefused(at=0.1, error=error, planned=False, policy_forbids=policy_forbids)
    return [*opened(), asked, refused, told, *left(4.0)]


@case("page.microphone-given", "policy-forbids")
def a_policy_without_the_microphone() -> Events:
    return refused_by_the_browser("NotAllowedError", policy_forbids=True)


@case("page.microphone-given", "constraints-unmeetable")
def a_device_that_nobody_has() -> Events:
    return refused_by_the_browser("OverconstrainedError")


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
    return [page_started(), *early, *refused_without_channel(), *left(4.0)]


@case("page.channel-before-offer", "no-channel")
def there_is_no_channel() -> Events:
    bare = OFFER.partition("m=application")[0]
    early = changed(beginning(), a(ConnectionUsed, method="createOffer", detail="done"), sdp=bare)
    early = without(early, a(ConnectionUsed, method="createDataChannel"), a(ListenerAdded, on="channel"))
    return [page_started(), *early, *refused_without_channel(), *left(4.0)]


@case("page.offer-sent", "not-made")
def no_offer_is_made() -> Events:
    begun = without(
        beginning(), a(ConnectionUsed, method="createOffer"), a(ConnectionUsed, method="setLocalDescription")
    )
    return [page_started(), *begun, *left(8.0)]


@case("page.offer-sent", "not-sent")
def the_offer_goes_nowhere() -> Events:
    return [page_started(), *beginning(), *left(8.0)]


@case("page.offer-sent", "blocked-by-browser")
def the_browser_blocks_it() -> Events:
    said = "Access to fetch has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header"
    kept = [e for e in signaling() if isinstance(e, OfferCreated | HttpRequest) and e.side == "caller"]
    return [
        page_started(),
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
