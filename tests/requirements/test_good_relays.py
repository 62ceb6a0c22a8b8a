"""What a good relay does passes, also where the call is a probe; and what cannot be told is left open."""

from __future__ import annotations

import json

import msgspec
import pytest

from harness.core import probes
from harness.core.events import (
    CallEnded,
    CandidateFound,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    IceServerTried,
    Packet,
    PacketsReceived,
    PairSelected,
    Part,
)
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.requirements.audio_cases import ten_packets_at_a_time
from tests.requirements.connectivity_cases import STUN, TURN, never_connected
from tests.requirements.security_cases import smuggled
from tests.requirements.session_cases import EXPIRED_ERROR, ladder, no_error_for_a_wrong_update, refusal
from tests.requirements.signaling_building import ERROR, preflight, probe, refused, responded, upstream_probe
from tests.support.editing import a, changed, until, without
from tests.support.timelines import (
    OFFER,
    SENT_SESSION,
    call_started,
    ending,
    healthy_events,
    server,
    signaling,
    state,
    timeline_of,
)

Events = list[Event]


def verdict(requirement: str, events: Events) -> Verdict:
    (found,) = judge([timeline_of(events)], REGISTRY.select(ids=[requirement]))
    return found


# --- signaling ---


@pytest.mark.parametrize("upstream", ["application/sdp", "text/plain"])
def test_an_answer_in_plain_text_is_told_and_no_fault(upstream: str) -> None:
    """OpenAI's own answers say text/plain: a relay that copies it, or chose it itself, does as well."""
    plain = (("content-type", "text/plain; charset=utf-8"),)
    events = changed(healthy_events(), a(HttpResponse, side="caller"), headers=plain)
    events = changed(events, a(HttpResponse, side="upstream"), headers=(("content-type", upstream),))
    found = verdict("signaling.answer-media-type", events)
    assert found.outcome == Outcome.OBSERVED
    assert ("copied from the upstream" in found.explanation) == (upstream == "text/plain")


@pytest.mark.parametrize("origin", ["*", "https://app.example"])
def test_a_preflight_that_lets_the_page_through_passes(origin: str) -> None:
    events = preflight(204, origin=origin, headers="Authorization, Content-Type", methods="POST")
    assert verdict("signaling.preflight", events).outcome == Outcome.PASSED
    leave = {"headers": "Authorization, Content-Type", "methods": "PUT, OPTIONS"}
    put = preflight(204, method="PUT", origin=origin, **leave)
    assert verdict("signaling.preflight", put).outcome == Outcome.PASSED


@pytest.mark.parametrize("case", probes.BAD_OFFERS)
def test_a_bad_offer_that_is_refused_passes(case: str) -> None:
    events = probe("bad-offer", case, responded("bad-offer", 400, '{"error": {"code": "invalid_offer"}}'))
    assert verdict("signaling.bad-offer-refused", events).outcome == Outcome.PASSED


@pytest.mark.parametrize("case", ["no-data-channel", "wrong-media-type"])
def test_what_openai_itself_accepts_may_be_accepted(case: str) -> None:
    events = probe("bad-offer", case, responded("bad-offer", 201, OFFER))
    assert verdict("signaling.bad-offer-refused", events).outcome == Outcome.PASSED


def test_a_bad_offer_whose_end_is_not_recorded_is_left_open() -> None:
    assert (
        verdict("signaling.bad-offer-refused", probe("bad-offer", "empty", None)).outcome
        == Outcome.INCONCLUSIVE
    )


@pytest.mark.parametrize("status", [400, 502, 503, 504])
def test_an_upstream_failure_that_is_reported_passes(status: int) -> None:
    events = upstream_probe(responded("upstream-failure", status, ERROR), 401, ERROR)
    assert verdict("signaling.upstream-failure-reported", events).outcome == Outcome.PASSED


def test_an_upstream_that_did_not_fail_proves_nothing() -> None:
    events = upstream_probe(responded("upstream-failure", 200, OFFER), 201, OFFER)
    assert verdict("signaling.upstream-failure-reported", events).outcome == Outcome.INCONCLUSIVE


def test_a_gateway_status_alone_leaves_two_explanations() -> None:
    found = verdict("signaling.offer-accepted", refused(502, "Bad Gateway", mode="black-box"))
    assert found.cause == "relay-error"
    assert [other.cause for other in found.alternatives] == ["upstream-error"]


@pytest.mark.parametrize(
    ("status", "cause", "other"),
    [
        (401, "unauthorized", "upstream-unauthorized"),
        (404, "not-found", "upstream-offer-rejected"),
        (400, "offer-refused", "upstream-offer-rejected"),
        (429, "rate-limited", "upstream-rate-limited"),
    ],
)
def test_a_refusal_may_be_openais_own_where_the_upstream_is_not_seen(
    status: int, cause: str, other: str
) -> None:
    found = verdict("signaling.offer-accepted", refused(status, "no", mode="black-box"))
    assert (found.cause, [a.cause for a in found.alternatives]) == (cause, [other])
    seen = verdict("signaling.offer-accepted", refused(status, "no", mode="grey-box"))
    assert (seen.cause, seen.alternatives) == (cause, ()), "nothing reached the upstream"


def test_packets_in_bunches_through_our_own_turn_server_are_not_the_targets() -> None:
    bunched = [*ten_packets_at_a_time()]
    relayed = changed(bunched, a(PairSelected), local="relay 192.168.7.20:41000")
    assert verdict("audio.clean", bunched).cause == "wrong-pace"
    assert verdict("audio.clean", relayed).cause != "wrong-pace"


def test_all_that_is_amiss_with_a_replys_audio_is_told_what_explains_the_rest_first() -> None:
    def worn(given: tuple[Packet, ...]) -> tuple[Packet, ...]:
        return tuple(msgspec.structs.replace(p, clipped=0.1) for i, p in enumerate(given) if i % 10)

    found = verdict("audio.clean", changed(healthy_events(), a(PacketsReceived), packets=worn))
    assert (found.cause, [other.cause for other in found.alternatives]) == ("packet-loss", ["clipping"])
    assert "10.0 % of samples at full scale" in found.explanation


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("Failed to parse offer: failed to unmarshal SDP: EOF", "upstream-offer-rejected"),
        ('{"error": {"code": "unsupported_country_region_territory"}}', "upstream-region"),
        ("Invalid value: 'nova'. Supported values are: 'alloy', 'ash', and 'cedar'.", "upstream-voice"),
        ("You exceeded your current quota", "upstream-rate-limited"),
        ("Incorrect API key provided: sk-…", "upstream-unauthorized"),
        ('{"error": {"code": "upstream_timeout"}}', "upstream-error"),
    ],
)
def test_a_black_box_is_read_by_what_it_passes_on(body: str, cause: str) -> None:
    assert verdict("signaling.offer-accepted", refused(502, body, mode="black-box")).cause == cause


@pytest.mark.parametrize(
    "body", ['{"error": {"code": "model_not_found"}}', "The model `gpt-9` does not exist"]
)
def test_a_black_boxs_model_is_read_by_what_it_passes_on(body: str) -> None:
    assert (
        verdict("signaling.session-accepted", refused(502, body, mode="black-box")).cause == "model-not-found"
    )


def test_a_timeout_tells_whether_the_upstream_had_answered() -> None:
    events = without(signaling(), a(HttpResponse, side="caller"))
    timed_out = HttpFailed(at=30.0, failure="timeout")
    found = verdict("signaling.offer-accepted", [call_started(), *events, timed_out, *ending(31.0)])
    assert "the upstream answered 201 at 0.120 s" in found.explanation


def test_a_form_without_its_offer_is_no_form() -> None:
    parts = (Part(name="offer", body=OFFER), Part(name="session", body=json.dumps(SENT_SESSION)))
    events = changed(healthy_events(), a(HttpRequest, side="upstream"), parts=parts)
    assert verdict("signaling.session-forwarded", events).cause == "multipart-invalid"


# --- connectivity ---


def test_ice_servers_that_answer_pass() -> None:
    tried = [IceServerTried(at=0.02, url=url, took=0.01) for url in (STUN, TURN)]
    relayed = CandidateFound(at=0.03, type="relay", protocol="udp", address="198.51.100.2", port=50000)
    assert verdict("connectivity.gathering", [*healthy_events(), *tried, relayed]).outcome == Outcome.PASSED


def test_a_server_that_gives_back_the_host_address_on_an_open_network_passes() -> None:
    tried = IceServerTried(at=0.02, url=STUN, took=0.01, gave=("srflx 192.168.7.20:41000",))
    assert verdict("connectivity.gathering", [*healthy_events(), tried]).outcome == Outcome.PASSED


def test_silence_of_all_ice_servers_makes_blocked_udp_likelier() -> None:
    events = without(never_connected(), lambda e: e.side == "upstream")
    silent = IceServerTried(at=0.02, url=STUN, error="timeout", took=5.0)
    events[0] = call_started("black-box")
    found = verdict("connectivity.ice-connects", [*events, silent])
    assert found.cause == "udp-blocked"
    assert [other.cause for other in found.alternatives] == ["no-answer-to-checks"]


def test_silence_alone_leaves_a_firewall_as_the_second_explanation() -> None:
    events = without(never_connected(), lambda e: e.side == "upstream")
    events[0] = call_started("black-box")
    found = verdict("connectivity.ice-connects", events)
    assert found.cause == "no-answer-to-checks"
    assert [other.cause for other in found.alternatives] == ["udp-blocked"]


def test_an_answer_with_another_calls_credentials_is_a_changed_answer_first() -> None:
    """As of a relay that caches answers: ICE fails by it, but is not the root."""

    def other(body: str) -> str:
        return body.replace("answerfrag", "ownfrag")

    mixed = changed(never_connected(), a(HttpResponse, side="upstream"), body=other)
    (found,) = [v for v in judge([timeline_of(mixed)], REGISTRY) if v.outcome == Outcome.FAILED]
    assert (found.id, found.cause) == ("signaling.answer-returned-intact", "answer-mutated")


@pytest.mark.parametrize(
    ("moment", "requirement"),
    [
        (0.17, "connectivity.ice-connects"),
        (0.22, "connectivity.dtls-connects"),
        (0.3, "connectivity.data-channel-opens"),
    ],
)
def test_a_call_given_up_early_leaves_its_stage_open(moment: float, requirement: str) -> None:
    events = until(healthy_events(), moment, moment + 0.1)
    assert verdict(requirement, events).outcome == Outcome.INCONCLUSIVE


# --- session ---


def test_a_ladder_that_is_climbed_to_its_end_passes() -> None:
    assert (
        verdict("session.large-update", ladder(1024, 16384, 65536, 204800, answered=4)).outcome
        == Outcome.PASSED
    )


def test_a_wrong_update_that_gets_its_one_error_passes() -> None:
    events = [*no_error_for_a_wrong_update(), refusal("invalid-update-1", 1.1)]
    assert verdict("session.error-reported", events).outcome == Outcome.PASSED
    assert verdict("session.update-accepted", events).outcome == Outcome.PASSED


def test_an_announced_expiry_is_no_failure_of_the_session() -> None:
    events = [*until(healthy_events(), 7.4, 8.0), server(7.5, "error", error=EXPIRED_ERROR)]
    events.append(state(7.51, "channel", "closed"))
    verdicts = {v.id: v.outcome for v in judge([timeline_of(events)], REGISTRY)}
    assert verdicts["lifecycle.session-expiry"] == Outcome.PASSED
    assert verdicts["session.stays-alive"] == Outcome.NOT_APPLICABLE
    assert Outcome.FAILED not in verdicts.values()


# --- lifecycle and security ---


def test_an_abandoned_call_that_is_released_passes() -> None:
    events = [call_started(), *signaling(purpose="abandoned-offer"), *ending(1.0)]
    events.append(CallEnded(at=2.0, side="upstream", reason="hang-up"))
    assert verdict("lifecycle.abandoned-offer-released", events).outcome == Outcome.PASSED


def test_an_attempt_that_the_upstream_refused_does_not_hide_a_leak() -> None:
    """Its record ends by itself; the call that was made after it must end too."""
    refusal_ended = CallEnded(at=0.1, side="upstream", reason="refused")
    leaked = [*without(healthy_events(), a(CallEnded, side="upstream")), refusal_ended]
    assert verdict("lifecycle.hang-up-releases-call", leaked).cause == "call-leaked"


@pytest.mark.parametrize("status", [401, 403])
def test_an_offer_without_credentials_that_is_refused_passes(status: int) -> None:
    events = probe("unauthenticated", "", responded("unauthenticated", status))
    assert verdict("security.auth-required", events).outcome == Outcome.PASSED


def test_a_session_that_is_not_passed_on_passes() -> None:
    assert verdict("security.session-not-injectable", smuggled()).outcome == Outcome.PASSED


def test_a_session_that_is_refused_passes() -> None:
    events = probe("injection", "injected-1", responded("injection", 400))
    assert verdict("security.session-not-injectable", events).outcome == Outcome.PASSED


def test_a_black_box_that_accepts_a_session_cannot_be_judged_by_that_alone() -> None:
    events = [e for e in smuggled() if e.side == "caller"]
    events[0] = call_started("black-box")
    found = verdict("security.session-not-injectable", events)
    assert found.outcome == Outcome.NOT_APPLICABLE
    assert "--fake-openai" in found.explanation


def test_a_model_without_a_price_leaves_the_cost_open_where_it_is_limited() -> None:
    unpriced = {**SENT_SESSION, "model": "gpt-unheard-of"}
    limited = healthy_events(cost_per_call_usd=1.0, cost_per_run_usd=1.0)
    events = [*limited, server(7.9, "session.updated", session=unpriced)]
    for requirement in ("cost.per-call", "cost.per-run"):
        found = verdict(requirement, events)
        assert found.outcome == Outcome.INCONCLUSIVE
        assert "gpt-unheard-of" in found.explanation


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, '{"error": "unauthorized"}'),
        (200, '{"iceServers": [{"urls": "stun:stun.example.com"}]}'),
        (200, '{"iceServers": []}'),
        (200, '{"iceServers": [{"urls": "turn:turn.example.com", "credential": ""}]}'),
    ],
)
def test_ice_servers_without_a_password_may_be_handed_to_anyone(status: int, body: str) -> None:
    events = probe(probes.OPEN_ICE, "", responded(probes.OPEN_ICE, status, body))
    assert verdict("security.ice-credentials-guarded", events).outcome == Outcome.PASSED
