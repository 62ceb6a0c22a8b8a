"""Faults of a WHIP server: each finding with the relay's fault that leads to it."""

from __future__ import annotations

from harness.call import Caller

ORIGIN = "https://app.example"
CALLER_TOKEN = "a-caller's-own-token"


async def has_a_session(caller: Caller) -> None:
    """As scenarios/whip_session.py does."""
    await caller.whip.ask_endpoint()
    await caller.whip.connect()
    await caller.whip.ask_session()
    await caller.whip.restart_ice()
    await caller.whip.end_as_stranger()
    await caller.whip.end()
    await caller.whip.end_again()
    await caller.hang_up()


# Finding → the relay's faults.
PLANTED: dict[str, tuple[str, ...]] = {
    "signaling.answer-media-type: wrong-media-type": ("wrong-media-type=text/plain",),
    "whip.created: not-201": ("whip-status-200",),
    "whip.session-location: location-missing": ("whip-location-missing",),
    "whip.session-location: location-not-a-url": ("whip-location-no-url",),
    "whip.session-location: location-is-endpoint": ("whip-location-endpoint",),
    "whip.session-location: location-elsewhere": ("whip-location-elsewhere",),
    "whip.session-location: location-not-exposed": ("whip-location-hidden",),
    "whip.ice-servers: ice-server-unusable": ("whip-ice-server-unusable",),
    "whip.bad-post-refused: bad-post-accepted": ("whip-bad-post-accepted",),
    "whip.bad-post-refused: bad-post-crash": ("whip-bad-post-crash",),
    "whip.options: options-refused": ("whip-options-refused",),
    "whip.options: accept-post-missing": ("whip-accept-post-missing",),
    "whip.get: get-crash": ("whip-get-crash",),
    "whip.get: get-has-content": ("whip-get-content",),
    "whip.other-methods: method-not-refused": ("whip-other-methods",),
    "whip.other-methods: allow-missing": ("whip-allow-missing",),
    "whip.bad-patch-refused: bad-patch-accepted": ("whip-bad-patch-accepted",),
    "whip.bad-patch-refused: bad-patch-crash": ("whip-bad-patch-crash",),
    "whip.candidates: candidates-answered-otherwise": ("whip-candidates-200",),
    "whip.candidates: candidates-crash": ("whip-candidates-crash",),
    "whip.candidates: candidates-refused-otherwise": ("whip-candidates-forbidden",),
    "whip.preconditions: etag-missing": ("whip-etag-missing",),
    "whip.preconditions: etag-weak": ("whip-etag-weak",),
    "whip.preconditions: unconditional-patch-accepted": ("whip-unconditional-accepted",),
    "whip.preconditions: stale-patch-accepted": ("whip-stale-accepted",),
    "whip.ice-restart: restart-answer-incomplete": ("whip-restart-ignored",),
    "whip.ice-restart: restart-crash": ("whip-restart-crash",),
    "whip.ice-restart: restart-ends-session": ("whip-restart-ends-session",),
    "whip.session-guarded: ended-by-anyone": ("whip-delete-by-anyone", "whip-sessions-counted"),
    "whip.session-guarded: ended-by-url-alone": ("whip-delete-by-anyone",),
    "whip.session-guarded: existence-told": ("whip-existence-told",),
    "whip.session-guarded: session-guessable": ("whip-sessions-counted",),
    "whip.delete-ends-call: delete-refused": ("whip-delete-refused",),
    "whip.delete-ends-call: delete-ends-nothing": ("whip-delete-ends-nothing",),
    "whip.ended-session: gone-session-accepted": ("whip-gone-accepted",),
    "whip.ended-session: gone-session-crash": ("whip-gone-crash",),
}
