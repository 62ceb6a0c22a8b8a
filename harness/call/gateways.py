"""A relay that ends the caller's WebRTC itself: what it did upstream does not bear the offer's name."""

from __future__ import annotations

from harness.call.arriving import offer_span
from harness.call.upstream import FakeUpstream, UpstreamCall
from harness.core.clock import RelativeClock
from harness.core.events import (
    AnswerReceived,
    CallMarked,
    CallStarted,
    GatewayFound,
    HttpRequest,
    RequestArrived,
)
from harness.core.probes import UPGRADE
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline

OPENS_WITHIN = 3.0  # seconds from the answer, in which a gateway opens its own connection
EARLY = 0.1


async def follow_gateway(
    upstream: FakeUpstream, timeline: Timeline, clock: RelativeClock, taken: set[str], *, within: float
) -> None:
    """Where the far end that the caller reached was the relay's own, tell so, and add its upstream call.

    `taken`: ids of upstream calls that other calls have been given. A gateway that passes the caller's
    events on carries its name with them; one that passes sound alone, the caller's tone; any other is known
    by when its request came. Raises HarnessError.
    """
    answer = timeline.first(AnswerReceived)
    if answer is None or timeline.state("dtls", "connected") is None:
        return
    opened = timeline.first(HttpRequest, side="upstream", where=lambda e: e.purpose == UPGRADE)
    if opened is not None:
        mark = "the caller's events came through it"
        timeline.append(_found(timeline, "websocket", mark))
        return
    if timeline.first(CallStarted, side="upstream") is not None:
        return
    marked = timeline.first(CallMarked, where=lambda e: bool(e.call))
    if marked is not None:
        kind, name, mark = "websocket", marked.call, f"it heard the caller's own tone, {marked.mark}"
    elif (arrival := _own_request(timeline, answer, taken)) is not None:
        kind, name = "websocket" if arrival.method == "WEBSOCKET" else "webrtc", arrival.call
        mark = f"{arrival.method} {arrival.url} came at {arrival.at:.2f} s, and is no other call's"
    else:
        return
    taken.add(name)
    call = await upstream.call_when_ended(name, within)
    if call is not None:
        _add(timeline, call, clock)
    timeline.append(_found(timeline, kind, mark))


def _own_request(timeline: Timeline, answer: AnswerReceived, taken: set[str]) -> RequestArrived | None:
    span = offer_span(timeline)
    if span is None:
        return None
    given = parse_sdp(answer.sdp).ice_ufrag
    found = timeline.all(
        RequestArrived,
        side="upstream",
        after=span[0] - EARLY,
        before=answer.at + OPENS_WITHIN,
        where=lambda e: bool(e.call) and e.call not in taken and e.status in (101, 200, 201),
    )
    return next((e for e in found if e.method == "WEBSOCKET" or (e.answer and e.answer != given)), None)


def _add(timeline: Timeline, call: UpstreamCall, clock: RelativeClock) -> None:
    for event in call.on_timeline(clock.origin):
        timeline.append(event)


def _found(timeline: Timeline, kind: str, mark: str) -> GatewayFound:
    answer = timeline.first(AnswerReceived)
    description = parse_sdp(answer.sdp) if answer else None
    return GatewayFound(
        at=answer.at if answer else 0.0,
        upstream="websocket" if kind == "websocket" else "webrtc",
        ufrag=(description.ice_ufrag or "") if description else "",
        mark=mark,
    )
