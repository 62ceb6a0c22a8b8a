"""What the fake says reached it: the requests that belong to a call, and those that belong to none."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from harness.core import probes
from harness.core.events import ArrivalsRead, CallStarted, HttpRequest, RequestArrived, TokenMinted
from harness.core.timeline import Timeline
from harness.requirements.exchanges import Exchange, call_exchange, excerpt
from harness.requirements.model import Evidence

CALLS_PATH = re.compile(r"/v1/realtime/calls/?$|/v1/live/sessions/?$")
# Steering a call and minting keys are requests of their own, with no offer in them.
_NO_OFFER = re.compile(r"/realtime/calls/[^/]+/\w+$|/live/sessions/[^/]+/\w+$|/client_secrets$|/models")
_OF_OFFERS = re.compile(r"realtime|/live/|/calls")
_SDP_BEGINS = re.compile(r"(?:^|\n)\s*v=0\r?\n")


def was_asked(timeline: Timeline) -> ArrivalsRead | None:
    """The fake was asked what had arrived; None where it was not, or is none."""
    return timeline.first(ArrivalsRead)


def arrivals(timeline: Timeline) -> list[RequestArrived]:
    """What arrived of this call for its ordinary offer, or its WebSocket, in order."""
    offer = call_exchange(timeline)
    if offer is None:
        return []
    begins, ends = offer.request.at, _next_request(timeline, offer)
    tied = timeline.all(RequestArrived, side="upstream", where=lambda e: e.tie in ("ufrag", "call", "time"))
    # What is still being read names nobody yet: by its time alone it may be another call's.
    told_apart = (e for e in tied if e.tie != "time" or e.status is not None)
    return [e for e in told_apart if begins - 0.1 <= e.at < ends]


def offers_arrived(timeline: Timeline) -> list[RequestArrived]:
    """Those of them that were meant to make a call, well or badly."""
    return [e for e in arrivals(timeline) if carries_offer(e)]


def strays(timeline: Timeline) -> list[RequestArrived]:
    """What arrived while this call went on, and belongs to no call that we know.

    A key that is minted for a page belongs to a call that is yet to come; a gateway's own call is known by
    other means than its offer.
    """
    started = timeline.first(CallStarted)
    mints = timeline.first(TokenMinted) is not None or (started is not None and started.caller == "page")
    own = {e.call for e in timeline.all(CallStarted, side="upstream")}

    def is_stray(arrival: RequestArrived) -> bool:
        if arrival.tie or (arrival.call and arrival.call in own):
            return False
        return not (mints and urlsplit(arrival.url).path.endswith("/client_secrets"))

    return timeline.all(RequestArrived, side="upstream", where=is_stray)


def carries_offer(arrival: RequestArrived) -> bool:
    """Whether a request was meant to make a WebRTC call."""
    path = urlsplit(arrival.url).path
    if _NO_OFFER.search(path) or arrival.method in ("WEBSOCKET", "OPTIONS", "HEAD"):
        return False
    if CALLS_PATH.search(path) or arrival.ufrag:
        return True
    return arrival.method != "GET" and _OF_OFFERS.search(path) is not None


def start_of_offer(arrival: RequestArrived) -> str:
    """How the offer in a request begins: the part of that name, or the body."""
    return next((part.start for part in arrival.parts if part.name == "sdp"), arrival.start)


def size_of_offer(arrival: RequestArrived) -> int:
    """Its length in bytes."""
    return next((part.size for part in arrival.parts if part.name == "sdp"), arrival.size)


def offer_came_through(timeline: Timeline, ufrag: str) -> bool:
    """Whether the offer of this ufrag arrived as SDP: bare or in a form of the relay's own.

    One that arrived inside what we wrapped it in shows that the relay does not read that wrapping.
    """
    return any(
        e.ufrag == ufrag and any(_is_sdp(text) for text in (e.start, *(p.start for p in e.parts)))
        for e in arrivals(timeline)
    )


def _is_sdp(text: str) -> bool:
    return _SDP_BEGINS.search(text) is not None and not text.startswith(f"--{probes.OUR_BOUNDARY}")


def told(arrival: RequestArrived) -> str:
    """`POST /v1/realtime from 127.0.0.1:4242 (node), application/sdp, 1215 bytes: 400 …`."""
    who = f"{arrival.peer or 'somebody'}{f' ({arrival.agent})' if arrival.agent else ''}"
    kind = arrival.content_type.partition(";")[0] or "no Content-Type"
    parts = ", ".join(p.name or "(unnamed)" for p in arrival.parts)
    what = f"{kind}{f' with {parts}' if parts else ''}, {arrival.size} bytes"
    model = f", model {arrival.model}" if arrival.model else ""
    answered = "never answered" if arrival.status is None else f"{arrival.status} {arrival.code}".rstrip()
    return f"{arrival.method} {arrival.url} from {who}, {what}{model}: {answered}"


def evidence(arrival: RequestArrived) -> Evidence:
    """It, with its moment and how it begins."""
    begins = f", begins {excerpt(arrival.start, 60)}" if arrival.start else ""
    return Evidence(arrival.at, f"at the fake: {told(arrival)}{begins}")


def _next_request(timeline: Timeline, offer: Exchange) -> float:
    """When the caller's next request began: what arrives from then on may be for that one."""
    later = timeline.all(HttpRequest, where=lambda e: e.at > offer.request.at)
    return later[0].at if later else float("inf")
