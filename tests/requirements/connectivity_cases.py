"""What provokes each cause in connectivity."""

from __future__ import annotations

from harness.core.events import (
    AnswerReceived,
    CandidateFound,
    ChecksCounted,
    Event,
    HttpResponse,
    IceServerTried,
    PacketMalformed,
    StateChanged,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, shifted, without
from tests.support.timelines import ANSWER, call_started, ending, healthy_events, signaling, state

Events = list[Event]
STUN, TURN = "stun:stun.example.org:3478", "turn:turn.example.org:3478"
OWN = CandidateFound(at=0.031, type="host", protocol="udp", address="192.168.7.20", port=41000)


# --- gathering ---


@case("connectivity.gathering", "stun-unreachable")
def stun_times_out() -> Events:
    return [*healthy_events(), IceServerTried(at=0.03, url=STUN, error="timeout", took=5.0)]


@case("connectivity.gathering", "stun-unreachable")
def turn_times_out() -> Events:
    return [*healthy_events(), IceServerTried(at=0.03, url=TURN, error="timeout", took=5.0)]


@case("connectivity.gathering", "turn-refused")
def turn_refuses_the_credential() -> Events:
    return [*healthy_events(), IceServerTried(at=0.03, url=TURN, error="401 Unauthorized", took=0.1)]


@case("connectivity.gathering", "host-candidates-only")
def a_server_that_gave_nothing() -> Events:
    return [*healthy_events(), IceServerTried(at=0.03, url=STUN, took=0.1)]


@case("connectivity.gathering", "gathering-slow")
def gathering_took_five_seconds() -> Events:
    return shifted(healthy_events(), after=0.0, by=5.0)


@case("connectivity.gathering", "host-candidates-only")
def a_server_that_answered_without_an_address() -> Events:
    missing = "unusable: the answer has no XOR-MAPPED-ADDRESS"
    return [*healthy_events(), IceServerTried(at=0.03, url=STUN, error=missing, took=0.1)]


@case("connectivity.gathering", "stun-unreachable")
def a_certificate_that_does_not_hold() -> Events:
    return [*healthy_events(), IceServerTried(at=0.03, url=TURN, error="certificate: expired", took=0.1)]


# --- ice-connects ---


def never_connected(answer: str = ANSWER, *extra: Event, upstream: str | None = None) -> Events:
    """ICE goes from checking to failed; the other end saw nothing of it either."""
    events = with_answer([call_started(), *signaling()], answer, answer if upstream is None else upstream)
    return [
        *events,
        OWN,
        state(0.16, "ice", "checking"),
        state(10.2, "ice", "failed", "no pair was nominated within 10 s"),
        *without(ending(10.3), a(ChecksCounted)),
        ChecksCounted(at=10.31, sent=40, answered=0),
        *extra,
    ]


def with_answer(events: Events, answer: str, upstream: str) -> Events:
    events = changed(events, a(AnswerReceived), sdp=answer)
    events = changed(events, a(HttpResponse, side="caller"), body=answer)
    return changed(events, a(HttpResponse, side="upstream"), body=upstream)


@case("connectivity.ice-connects", "no-answer-to-checks")
def nothing_comes_back() -> Events:
    return never_connected()


@case("connectivity.ice-connects", "no-answer-to-checks")
def the_upstream_hears_us_and_keeps_silent() -> Events:
    return never_connected(ANSWER, ChecksCounted(at=10.3, side="upstream", sent=0, answered=0, received=12))


@case("connectivity.ice-connects", "udp-blocked")
def the_upstreams_answers_do_not_come_back() -> Events:
    seen = ChecksCounted(at=10.3, side="upstream", sent=12, answered=0, received=12, replied=12)
    return never_connected(ANSWER, seen)


@case("connectivity.ice-connects", "udp-blocked")
def the_upstream_hears_nothing_of_us() -> Events:
    return never_connected(ANSWER, ChecksCounted(at=10.3, side="upstream", sent=12, answered=0, received=0))


@case("connectivity.ice-connects", "candidate-unroutable")
def a_private_network_that_is_not_ours() -> Events:
    return never_connected(ANSWER.replace("192.168.7.30", "10.255.0.7"))


@case("connectivity.ice-connects", "candidate-unroutable")
def an_address_for_documentation() -> Events:
    return never_connected(ANSWER.replace("192.168.7.30", "203.0.113.9"))


@case("connectivity.ice-connects", "candidate-unroutable")
def their_own_loopback() -> Events:
    return never_connected(ANSWER.replace("192.168.7.30", "127.0.0.1"))


@case("connectivity.ice-connects", "credentials-mismatch")
def checks_are_refused() -> Events:
    events = without(never_connected(), a(ChecksCounted))
    return [*events, ChecksCounted(at=10.31, sent=40, answered=0, refused=40)]


@case("connectivity.ice-connects", "no-candidates")
def tcp_candidates_only() -> Events:
    return never_connected(
        ANSWER.replace("1 1 udp ", "1 1 tcp ").replace("typ host", "typ host tcptype passive")
    )


@case("connectivity.ice-connects", "no-candidates")
def names_instead_of_addresses() -> Events:
    return never_connected(ANSWER.replace("192.168.7.30", "7f3c.local"))


@case("connectivity.ice-connects", "no-candidates")
def none_of_our_own() -> Events:
    return without(never_connected(), a(CandidateFound))


# --- dtls-connects ---


def without_dtls(*ends: Event) -> Events:
    events = without(before_media(healthy_events()), a(StateChanged, layer="dtls", state="connected"))
    return [*events, *ends, *ending(10.3)]


def before_media(events: Events) -> Events:
    """Up to the moment at which DTLS would be connected."""
    return [e for e in events if e.at <= 0.25]


@case("connectivity.dtls-connects", "fingerprint-mismatch")
def another_certificate() -> Events:
    detail = "the answer announced sha-256 AB, the certificate has CD"
    return without_dtls(state(0.26, "dtls", "failed", detail))


@case("connectivity.dtls-connects", "dtls-timeout")
def no_handshake_in_time() -> Events:
    return without_dtls(state(10.25, "dtls", "failed", "no handshake within 10 s"))


@case("connectivity.dtls-connects", "dtls-timeout")
def no_word_of_dtls_at_all() -> Events:
    return without_dtls()


# --- data-channel-opens ---


@case("connectivity.data-channel-opens", "ice-connected-but-channel-closed")
def sctp_never_answers() -> Events:
    events = [e for e in healthy_events() if e.at <= 0.3]
    return [*events, *ending(10.3)]


@case("connectivity.data-channel-opens", "channel-late")
def the_channel_opens_after_seven_seconds() -> Events:
    return shifted(healthy_events(), after=0.34, by=7.0)


@case("connectivity.data-channel-opens", "ice-not-connected")
def ice_connects_after_six_seconds() -> Events:
    return shifted(healthy_events(), after=0.17, by=6.0)


@case("connectivity.data-channel-opens", "ice-not-connected")
def ice_is_lost_before_the_channel_opens() -> Events:
    events = [e for e in healthy_events() if e.at <= 0.3]
    return [*events, state(0.4, "ice", "disconnected"), *ending(10.3)]


@case("connectivity.packets-well-formed", "sctp-malformed")
def a_chunk_that_is_too_short() -> Events:
    return [
        *healthy_events(),
        PacketMalformed(at=1.5, problem="a DATA chunk of 8 bytes, where 17 are the least"),
        PacketMalformed(at=1.6, problem="a text message that is not UTF-8"),
    ]
