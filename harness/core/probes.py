"""How a caller marks what it does on purpose, so that the timeline alone says what was tried.

`HttpRequest.purpose` tells an ordinary offer from a probe; `HttpRequest.case` tells the probes of one purpose
apart. Ids of client events that are meant to be refused, or to be too large, begin with a prefix from here.
"""

from __future__ import annotations

from typing import Final

# --- HttpRequest.purpose, on the caller's side unless it says otherwise ---

OFFER: Final = "offer"  # an ordinary call
PREFLIGHT: Final = "preflight"  # the OPTIONS request that a browser sends first
BAD_OFFER: Final = "bad-offer"  # an offer no relay may accept; case: which of BAD_OFFERS
UPSTREAM_FAILURE: Final = "upstream-failure"  # a good offer while the upstream is made to fail; case: how
UNAUTHENTICATED: Final = "unauthenticated"  # a good offer without the target's credentials
OPEN_ICE: Final = "ice-without-credentials"  # the page's ICE servers, asked for by nobody in particular
INJECTION: Final = "injection"  # a good offer with a session of our own; case: the marker in every value
CHOICE: Final = "choice"  # a good offer with what a caller may choose, beyond its bounds; case: the marker
ABANDONED_OFFER: Final = "abandoned-offer"  # a good offer from a caller that goes away before connecting
HANG_UP: Final = "hang-up"  # upstream: a request to end the call
FOREIGN_PREFLIGHT: Final = "foreign-preflight"  # the OPTIONS request for a page of an origin that is not ours
UPGRADE: Final = "upgrade"  # an ordinary call over a WebSocket: the GET that opens it (RFC 6455)
FOREIGN_UPGRADE: Final = "foreign-upgrade"  # the same for a page of an origin that is not ours
ICE_RESTART: Final = "ice-restart"  # the offer once more, with new ICE credentials, in mid-call

MINT: Final = "mint"  # a page asks its back end for a key of its own
MINT_AGAIN: Final = "mint-again"  # another caller asks the same
MINT_UNAUTHENTICATED: Final = "mint-unauthenticated"  # somebody asks without the target's credentials
MINT_FOREIGN: Final = "mint-foreign"  # a page of another origin asks
MINT_INJECTION: Final = "mint-injection"  # a page asks with a session of its own; case: the marker in it

WHIP_ENDPOINT: Final = "whip-endpoint"  # what no offer is, where a WHIP target takes offers; case: what
WHIP_SESSION: Final = "whip-session"  # a request to a session that is not meant to end it; case: what
WHIP_STRANGER: Final = "whip-stranger"  # DELETE without the target's credentials; case: live, or unknown
WHIP_END: Final = "whip-end"  # DELETE of a session; case: held (nothing else is done to end the call), over

CALLS: Final = (OFFER, UPGRADE)  # an ordinary call, either way

CALL_HEADER: Final = "x-harness-call"  # with a WebSocket: the call's name, for a relay that passes it on
OUR_BOUNDARY: Final = "harness-"  # how the boundary of a form begins that we made
FOREIGN_ORIGIN: Final = "https://elsewhere.invalid"  # nobody's, for ever (RFC 2606, section 2)

BAD_OFFERS: Final = (
    "empty",
    "not-sdp",
    "json-without-sdp",
    "no-audio",
    "no-data-channel",
    "one-megabyte",
    "wrong-media-type",
    "deep-json",
    "binary",
)

# Cases of UPSTREAM_FAILURE: the fake's faults, by name.
UPSTREAM_FAILURES: Final = (
    "http-401",
    "http-429",
    "http-500",
    "http-503",
    "http-504",
    "no-answer",
    "connection-dropped",
)

# --- event_id prefixes of client events ---

LARGE_UPDATE: Final = "large-update-"  # a session.update that climbs the ladder of sizes
INVALID_UPDATE: Final = "invalid-update-"  # a session.update that must be refused with one error

# --- WaitExpired.what ---

RELEASE: Final = "release"  # the fake was asked for this long, and the call was still live there

# --- part of CallEnded.reason, on the upstream's side, in OpenAI's own words ---

SESSION_EXPIRED: Final = "hit the maximum duration"

# --- calls of a web page that each try one thing (`harness page --probe`) ---

PAGE_PROBE_NAMES: Final = (
    "microphone-denied",
    "microphone-missing",
    "microphone-slow",
    "channel-silent",
    "network-lost",
    "disconnected",
    "double-click",
    "left",
    "tab-closed",
)
EVERY_PAGE_PROBE: Final = "all"  # and the ordinary call

# --- steps of a plan that verdicts look at ---

CONNECT: Final = "connect"  # all that comes before something can be said
MARKING: Final = "say whose call it is"  # the caller's own tone
