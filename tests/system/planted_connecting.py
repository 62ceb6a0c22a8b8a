"""Faults between the answer and the open channel, and at the call's end."""

from __future__ import annotations

from tests.system.conversations import (
    abandons_an_offer,
    configures,
    connects,
    has_calls_beside,
    has_more_calls_than_allowed,
    outstays,
    stays_long,
    stays_on_the_line,
    takes_a_turn,
)
from tests.system.planted import configured, fake, relay

TIME_LIMIT = (("longest_call_s", 1.0),)

PLANTED = [
    fake("answer-private-candidates", "connectivity.ice-connects: candidate-unroutable", connects),
    fake("answer-unreachable-candidates", "connectivity.ice-connects: candidate-unroutable", connects),
    fake("wrong-ufrag", "connectivity.ice-connects: credentials-mismatch", connects),
    fake("answer-tcp-candidates", "connectivity.ice-connects: no-candidates", connects),
    fake("udp-blocked", "connectivity.ice-connects: udp-blocked", connects),
    fake("ice-silent", "connectivity.ice-connects: no-answer-to-checks", connects),
    fake("wrong-fingerprint", "connectivity.dtls-connects: fingerprint-mismatch", connects),
    fake("dtls-silent", "connectivity.dtls-connects: dtls-timeout", connects),
    # 2.5 s are over before the caller's check at 3.5 s (0.5, 1 and 2 s after one another: RFC 8489, 6.2.1).
    fake("ice-late=2.5", "connectivity.data-channel-opens: ice-not-connected", connects),
    fake("sctp-silent", "connectivity.data-channel-opens: ice-connected-but-channel-closed", connects),
    fake("channel-late=4", "connectivity.data-channel-opens: channel-late", connects),
    fake("sctp-malformed", "connectivity.packets-well-formed: sctp-malformed", configures),
    fake(
        "sctp-malformed=endless-parameter", "connectivity.packets-well-formed: sctp-malformed", takes_a_turn
    ),
    fake("channel-closed=1", "session.stays-alive: channel-closed", stays_on_the_line),
    fake("peer-gone=4", "session.stays-alive: peer-gone", stays_long),
    fake("call-leaked", "lifecycle.hang-up-releases-call: call-leaked", configures),
    relay("call-leaked", "lifecycle.abandoned-offer-released: call-leaked", abandons_an_offer),
    relay(
        "hang-up-with-another-key", "lifecycle.abandoned-offer-released: hang-up-refused", abandons_an_offer
    ),
    configured("lifecycle.calls-per-caller: no-limit", has_calls_beside),
    configured(
        "lifecycle.calls-per-caller: too-many-calls",
        has_more_calls_than_allowed,
        limits=(("calls_per_caller", 2.0),),
    ),
    relay(
        "guard-raced", "lifecycle.calls-per-caller: limit-raced", has_calls_beside, alone=True, lasting=True
    ),
    relay(
        "guard-in-memory",
        "lifecycle.calls-per-caller: limit-not-shared",
        has_calls_beside,
        alone=True,
        lasting=True,
    ),
    configured("lifecycle.time-limit-kept: call-outlives-limit", outstays, limits=TIME_LIMIT),
    relay("time-limit-refused", "lifecycle.time-limit-kept: hang-up-refused", outstays, limits=TIME_LIMIT),
    relay("time-limit=30", "lifecycle.time-limit-kept: call-outlives-limit", outstays, limits=TIME_LIMIT),
    fake("session-expired-unannounced=2", "lifecycle.session-expiry: expiry-unannounced", stays_on_the_line),
]
