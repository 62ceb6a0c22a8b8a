"""What provokes each cause in lifecycle."""

from __future__ import annotations

from harness.core.events import CallEnded, Event, HttpRequest, HttpResponse, WaitExpired
from harness.core.probes import HANG_UP
from tests.requirements.cases import case
from tests.support.editing import a, changed, until, without
from tests.support.timelines import call_started, ending, healthy_events, signaling, state

Events = list[Event]
RELEASED = a(CallEnded, side="upstream")
EXPIRED = "Your session hit the maximum duration of 60 minutes."


@case("lifecycle.hang-up-releases-call", "call-leaked")
def still_live_after_the_wait() -> Events:
    return [*without(healthy_events(), RELEASED), WaitExpired(at=18.1, what="release", within=10.0)]


@case("lifecycle.hang-up-releases-call", "call-leaked")
def still_live_when_last_asked() -> Events:
    return without(healthy_events(), RELEASED)


@case("lifecycle.hang-up-releases-call", "call-leaked")
def released_half_a_minute_later() -> Events:
    return changed(healthy_events(), RELEASED, at=38.0)


def abandoned(*upstream: Event) -> Events:
    """An answer that nobody used."""
    events = without(ending(1.0), RELEASED)
    return [call_started(), *signaling(purpose="abandoned-offer"), *events, *upstream]


@case("lifecycle.abandoned-offer-released", "call-leaked")
def an_abandoned_call_lives_on() -> Events:
    return abandoned()


@case("lifecycle.abandoned-offer-released", "call-leaked")
def an_abandoned_call_is_released_too_late() -> Events:
    return abandoned(CallEnded(at=30.0, side="upstream", reason="never-connected"))


@case("lifecycle.session-expiry", "expiry-unannounced")
def the_session_expires_without_a_word() -> Events:
    expired = CallEnded(at=7.5, side="upstream", reason=EXPIRED)
    return [*until(without(healthy_events(), RELEASED), 7.4, 8.0), expired, state(7.51, "channel", "closed")]


@case("lifecycle.abandoned-offer-released", "hang-up-refused")
def the_hang_up_is_sent_with_another_key() -> Events:
    url = "http://127.0.0.1:8089/v1/realtime/calls/rtc_1/hangup"
    sent = HttpRequest(at=0.9, side="upstream", method="POST", url=url, purpose=HANG_UP)
    return abandoned(sent, HttpResponse(at=0.91, side="upstream", status=404, purpose=HANG_UP))
