"""Faults of a relay that passes WebSockets on, met by a caller that speaks over one."""

from __future__ import annotations

from functools import partial

from pydantic import SecretStr

from tests.system import planted
from tests.system.conversations import (
    asks_at_length,
    climbs_updates,
    comes_without_credentials,
    configures,
    connects,
    is_asked_for_from_elsewhere,
    stays_for_six_seconds,
    takes_a_turn,
)
from tests.system.planted_conversing import UNTIMED
from tests.system.planted_signaling import PAGE_ORIGIN

relay = partial(planted.relay, caller="websocket")
fake = partial(planted.fake, caller="websocket")
configured = partial(planted.configured, caller="websocket")

A_PAGES_KEY = ("realtime", SecretStr("openai-insecure-api-key.sk-page-0123456789abcdef"))
EXPIRY = "session-expired=2"
FROM_A_PAGE = (("origin", PAGE_ORIGIN),)

PLANTED = [
    # The upgrade.
    relay("socket-page", "websocket.opens: no-websocket", connects),
    relay("socket-refused=404", "websocket.opens: no-websocket", connects),
    relay("socket-refused=403", "websocket.opens: unauthorized", connects),
    relay("socket-refused=500", "websocket.opens: relay-error", connects),
    relay("socket-hangs", "websocket.opens: no-answer", connects),
    relay("socket-cut", "websocket.opens: no-answer", connects),
    relay("socket-key-wrong", "websocket.opens: upstream-refused", connects),
    # The session behind it.
    relay("upstream-not-opened", "websocket.session-begins: upstream-never-opened", connects),
    relay("socket-accepted-first", "websocket.session-begins: upstream-refused", connects),
    relay("beta-header", "websocket.session-begins: beta-header", connects),
    relay("closes-at-once", "websocket.session-begins: closed-at-once", connects),
    relay("session-created-dropped", "websocket.session-begins: session-not-forwarded", connects),
    # Messages.
    relay("messages-binary", "websocket.messages-whole: messages-binary", takes_a_turn),
    relay("messages-merged", "websocket.messages-whole: messages-merged", takes_a_turn),
    relay("messages-split", "websocket.messages-whole: messages-split", takes_a_turn),
    relay("messages-lost", "websocket.messages-forwarded: events-lost", takes_a_turn),
    relay("messages-reordered", "websocket.messages-forwarded: events-reordered", takes_a_turn),
    relay("client-messages-lost", "websocket.messages-forwarded: client-events-lost", configures),
    relay("message-limit", "session.large-update: message-too-large", climbs_updates),
    # Pace, and life.
    relay("reads-slowly", "websocket.takes-audio: reads-behind", asks_at_length),
    relay("pings-unanswered", "websocket.answers-pings: ping-unanswered", stays_for_six_seconds),
    relay("no-ping", "websocket.pings: no-ping", stays_for_six_seconds, limits=(("ping_s", 3.0),)),
    # The end.
    relay("socket-dropped", "websocket.close-told: no-close-frame", stays_for_six_seconds, fake=EXPIRY),
    relay("close-code-lost", "websocket.close-told: close-code-lost", stays_for_six_seconds, fake=EXPIRY),
    relay(
        "upstream-end-untold",
        "session.stays-alive: peer-gone",
        stays_for_six_seconds,
        fake="channel-closed=2",
    ),
    relay("upstream-leaked", "lifecycle.hang-up-releases-call: call-leaked", connects),
    # What must not be given away.
    relay("socket-key-exposed", "security.key-not-exposed: key-exposed", connects),
    relay("key-as-subprotocol", "websocket.key-not-in-subprotocol: key-as-subprotocol", connects),
    configured(
        "websocket.key-not-in-subprotocol: page-brings-key",
        connects,
        target=(("subprotocols", A_PAGES_KEY),),
    ),
    relay(
        "socket-any-origin",
        "websocket.foreign-origin-refused: foreign-origin-allowed",
        is_asked_for_from_elsewhere,
        target=FROM_A_PAGE,
    ),
    relay("socket-open", "security.auth-required: relay-open", comes_without_credentials),
    # The same requirements as of any other call.
    fake("turn-detection-off", "session.vad-configured: vad-disabled", takes_a_turn),
    fake("server-error", "session.stays-alive: server-error", takes_a_turn),
    fake("vad-never-ends", "turns.speech-ends: vad-never-ends", takes_a_turn, limits=UNTIMED),
    fake("response-never", "turns.response-completes: response-missing", takes_a_turn),
    fake("usage-missing", "cost.usage-reported: usage-missing", takes_a_turn),
]
