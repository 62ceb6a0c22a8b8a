"""How the page makes its connection and its offer: order, policies, and what it sends."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from harness.core.events import (
    ConnectionMade,
    ConnectionUsed,
    HttpRequest,
    ListenerAdded,
    OfferCreated,
    SecretSeen,
)
from harness.core.probes import OFFER
from harness.core.sdp import parse_sdp
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment, limit_of
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.microphone import PATIENCE
from harness.requirements.page.seen import (
    OFFERING,
    PAGE,
    STARTED,
    WEBRTC,
    configuration,
    pressed,
    the_connection,
    uses,
)
from harness.requirements.registry import requirement

AT_ONCE = 0.25  # seconds after gathering is complete: an offer that leaves then was waiting for it
SLOWEST_CLICKS = 1.0  # seconds between two clicks of one double click, and what they lead to


@requirement(
    "page.one-connection",
    "One press of the button makes one call",
    level=Level.MUST,
    because=Because.MONEY,
    severity=Severity.CRITICAL,
    stage=CallStage.BUTTON,
    source=Source(
        "OpenAI API reference, create call",
        "Each offer that is answered makes a call, and each call is billed until it ends.",
        "https://platform.openai.com/docs/api-reference/realtime-calls",
    ),
    needs=("page.stays",),
    when=(PAGE, STARTED, OFFERING),
    causes={
        "two-connections": Cause(
            "the page opened more than one connection for one press of its button",
            "make the connection in the handler alone; an effect that runs twice (React's StrictMode, a "
            "dependency that changes) must close what the first run opened",
        ),
        "double-click": Cause(
            "a double click made two calls",
            "disable the button, or remember that a call is being made, before the first await of the "
            "handler",
        ),
    },
)
def one_connection(timeline: Timeline) -> Finding:
    """Of the connections that were given a description, no two are open at once."""
    described = {
        e.connection for e in timeline.all(ConnectionUsed, where=lambda e: e.method == "setLocalDescription")
    }
    made = timeline.all(ConnectionMade, where=lambda e: e.connection in described)
    for first, second in pairwise(made):
        closed = timeline.first(
            ConnectionUsed,
            where=lambda e, number=first.connection: e.connection == number and e.method == "close",
        )
        if closed is not None and closed.at <= second.at + AT_ONCE:
            continue
        press = pressed(timeline, "start")
        twice = press is not None and press.times > 1 and second.at - press.at < SLOWEST_CLICKS + PATIENCE
        evidence = tuple(
            Evidence(e.at, f"new RTCPeerConnection, number {e.connection}") for e in (first, second)
        )
        seen = f"number {second.connection} was made while number {first.connection} was open"
        return Violation("double-click" if twice else "two-connections", seen, evidence)
    return None


@requirement(
    "page.ice-policies",
    "The connection may use every path",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.CRITICAL,
    stage=CallStage.OFFER,
    source=Source(
        "WebRTC, section 4.2",
        "iceTransportPolicy says which candidates are used, bundlePolicy how many transports are "
        "gathered for, "
        "iceServers where addresses and relayed paths are found.",
        WEBRTC + "#rtcconfiguration-dictionary",
    ),
    when=(PAGE, OFFERING),
    causes={
        "relay-only-without-turn": Cause(
            "the page wants relayed candidates alone, and names no TURN server",
            "leave iceTransportPolicy at 'all', or add a turn: server with its credentials",
            level=Level.MUST,
            because=Because.CALLER,
        ),
        "not-bundled": Cause(
            "the page's bundlePolicy gathers for a transport of each section",
            "use bundlePolicy: 'max-bundle': one transport carries audio and data channel",
        ),
        "no-ice-servers": Cause(
            "the page names no STUN and no TURN server",
            "give RTCPeerConnection iceServers: a STUN server shows the address outside of a NAT, a TURN "
            "server "
            "over TLS gets through networks that block UDP",
        ),
    },
)
def ice_policies(timeline: Timeline) -> Finding:
    """By the configuration that the connection was made with."""
    made = configuration(timeline)
    if made is None:
        return NotApplicable("how the connection was made is not known")
    given = made.configuration
    urls = list(_urls(given.get("iceServers")))
    evidence = (Evidence(made.at, f"new RTCPeerConnection({given})"),)
    if given.get("iceTransportPolicy") == "relay" and not any(u.startswith("turn") for u in urls):
        return Violation("relay-only-without-turn", f"{len(urls)} ICE servers, none of them TURN", evidence)
    if not urls:
        return Violation("no-ice-servers", "iceServers is empty", evidence)
    if given.get("bundlePolicy") == "max-compat":
        return Violation("not-bundled", "bundlePolicy: 'max-compat'", evidence)
    return None


def _urls(servers: Any) -> Iterable[str]:
    for server in servers if isinstance(servers, list) else []:
        urls = server.get("urls", server.get("url")) if isinstance(server, dict) else None
        yield from (u for u in (urls if isinstance(urls, list) else [urls]) if isinstance(u, str))


@requirement(
    "page.channel-before-offer",
    "The data channel is made before the offer",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=Source(
        "JSEP (RFC 9429), section 5.2.1",
        "An offer has an m= section for data if a channel was created before it; OpenAI's events need one.",
        "https://www.rfc-editor.org/rfc/rfc9429#section-5.2.1",
    ),
    when=(PAGE, OFFERING),
    causes={
        "channel-after-offer": Cause(
            "the data channel was made after the offer, so the offer has no room for it",
            "call createDataChannel('oai-events') before createOffer()",
        ),
        "no-channel": Cause(
            "the page makes no data channel, so it can neither send nor receive an event",
            "call createDataChannel('oai-events') before createOffer()",
        ),
    },
)
def channel_before_offer(timeline: Timeline) -> Finding:
    """createDataChannel comes before the createOffer whose offer is sent."""
    offers, channels = uses(timeline, "createOffer"), uses(timeline, "createDataChannel")
    evidence = tuple(
        Evidence(e.at, e.method) for e in sorted([*offers[:1], *channels[:1]], key=lambda e: e.at)
    )
    if not channels:
        return Violation("no-channel", "createDataChannel was never called", evidence)
    if offers and channels[0].at > offers[0].at:
        told = timeline.first(OfferCreated)
        if told is not None and parse_sdp(told.sdp).section("application") is not None:
            return None
        return Violation(
            "channel-after-offer",
            f"{1000 * (channels[0].at - offers[0].at):.0f} ms after createOffer",
            evidence,
        )
    return None


@requirement(
    "page.does-not-wait-for-gathering",
    "The offer does not wait until all candidates are gathered",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.CRITICAL,
    stage=CallStage.OFFER,
    source=Source(
        "RFC 8838, section 1",
        "Gathering may take long: a STUN server that does not answer is asked for some 40 s. OpenAI's "
        "servers "
        "need no candidate of the caller's, since they learn its address from its checks.",
        "https://www.rfc-editor.org/rfc/rfc8838#section-1",
    ),
    hits="every caller whose network lets a STUN or TURN server not answer",
    needs=("page.asks-for-microphone",),
    when=(PAGE, OFFERING),
    causes={
        "waits-for-gathering": Cause(
            "the page sends its offer only when gathering is complete",
            "post the offer right after setLocalDescription(); if candidates must be in it, wait for a "
            "second "
            "at most: Promise.race([complete, timeout])",
        )
    },
)
def does_not_wait_for_gathering(timeline: Timeline) -> Finding:
    """The request follows the description, and not the end of gathering."""
    described = uses(timeline, "setLocalDescription")[0]
    sent = timeline.first(HttpRequest, where=lambda e: e.purpose == OFFER)
    complete = timeline.state("gathering", "complete")
    number = the_connection(timeline)
    watches = timeline.first(
        ListenerAdded,
        where=lambda e: e.connection == number and e.type in ("icegatheringstatechange", "icecandidate"),
    )
    if watches is None:
        return None
    if sent is None and complete is None:
        waited = last_moment(timeline) - described.at
        if waited < PATIENCE:
            return None
        evidence = (Evidence(described.at, "setLocalDescription"), Evidence(watches.at, f"on {watches.type}"))
        seen = f"{waited:.1f} s later gathering was not complete, and nothing was sent"
        return Violation("waits-for-gathering", seen, evidence, level=Level.MUST)
    if sent is None or complete is None or sent.at < complete.at:
        return None
    offer = timeline.first(OfferCreated)
    if offer is None or "a=candidate:" not in offer.sdp or sent.at - complete.at > AT_ONCE:
        return None
    waited = complete.at - described.at
    quotes = (
        Evidence(described.at, "setLocalDescription"),
        Evidence(complete.at, "gathering complete"),
        Evidence(sent.at, f"{sent.method} {sent.url}"),
    )
    level = Level.MUST if waited > limit_of(timeline, "gathering_s") else None
    return Violation("waits-for-gathering", f"here it took {waited:.2f} s", quotes, level=level)


@requirement(
    "page.no-key",
    "No secret key is in the page's hands",
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    stage=CallStage.PAGE,
    source=Source(
        "OpenAI, best practices for API key safety",
        "Never deploy your key in client-side environments like browsers or mobile apps.",
        "https://help.openai.com/en/articles/5112595-best-practices-for-api-key-safety",
    ),
    when=(PAGE,),
    causes={
        "key-in-page": Cause(
            "a secret key is in what the page loads",
            "revoke the key now; keep it in the backend's environment, and out of variables that the build "
            "puts into the page (NEXT_PUBLIC_…, VITE_…)",
        ),
        "key-in-request": Cause(
            "the page sends a secret key",
            "revoke the key now; let the backend add it, or give the page an ephemeral one (ek_…)",
        ),
    },
)
def no_key(timeline: Timeline) -> Finding:
    """No `sk-…` in documents, scripts, responses or requests."""
    found = timeline.all(SecretSeen, where=lambda e: e.where.startswith("page: "))
    if not found:
        return None
    where = found[0].where.removeprefix("page: ")
    cause = "key-in-request" if where.startswith("request") else "key-in-page"
    return Violation(
        cause, f"in {where}", tuple(Evidence(e.at, f"{e.where}: {e.excerpt}") for e in found[:5])
    )
