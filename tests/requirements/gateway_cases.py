"""What provokes each cause in gateway."""

from __future__ import annotations

from harness.core.events import (
    CallEnded,
    CallMarked,
    CallStarted,
    Event,
    GatewayFound,
    HttpResponse,
    RequestArrived,
    ServerEvent,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed
from tests.support.timelines import healthy_events, server

Events = list[Event]
FOUND = GatewayFound(at=0.15, upstream="websocket", ufrag="answerfrag", mark="WEBSOCKET /v1/realtime")


def bridged() -> Events:
    """A healthy call through a gateway, as both ends saw it."""
    own = [e for e in healthy_events() if not (e.side == "upstream" and isinstance(e, RequestArrived))]
    return [*own, FOUND, CallStarted(at=0.1, side="upstream", call="rtc_1")]


def by_ear(*seen: Event) -> Events:
    """A call through a gateway that keeps the events to itself: the caller's tone came to nothing."""
    own = [e for e in bridged() if e is not FOUND and not (e.side == "caller" and isinstance(e, ServerEvent))]
    told = changed(own, a(CallStarted, side="caller"), passes_events=False, mode="grey-box")
    return [*told, CallMarked(at=2.0, mark="mark-7"), *seen]


@case("gateway.upstream-opens", "no-upstream")
def nothing_came_to_the_upstream() -> Events:
    return [e for e in by_ear() if e.side == "caller"]


@case("gateway.upstream-opens", "voice-not-passed-on")
def the_upstream_hears_nobody() -> Events:
    return by_ear(FOUND)


@case("gateway.upstream-end-told", "caller-kept")
def nobody_is_behind_it_any_more() -> Events:
    kept = changed(bridged(), lambda e: isinstance(e, CallEnded) and e.side == "upstream", at=4.0)
    assert any(isinstance(e, HttpResponse) for e in kept)
    return kept


@case("gateway.delay", "gateway-slow")
def audio_is_held_back() -> Events:
    stopped = server(4.9, "input_audio_buffer.speech_stopped")
    delta = server(5.0, "response.output_audio.delta", delta="(2 characters of base64)")
    told = [ServerEvent(at=e.at, side="upstream", event=e.event) for e in (stopped, delta)]
    heard_at = [e for e in bridged() if isinstance(e, ServerEvent)]
    assert heard_at
    events = changed(bridged(), a(CallStarted, side="caller"), limits={"gateway_delay_ms": 300.0})
    early = [ServerEvent(at=3.30, side="upstream", event=delta.event)]
    return [*events, *told[:1], *early]
