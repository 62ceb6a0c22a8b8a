"""What provokes each cause in lifecycle."""

from __future__ import annotations

from harness.core.events import (
    CallBeside,
    CallEnded,
    CallStarted,
    Event,
    HttpRequest,
    HttpResponse,
    WaitExpired,
)
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


def beside(in_turn: str, at_once: str, limits: dict[str, float] | None = None) -> Events:
    """Calls of one caller: `y` is live, `n` refused, `x` was accepted and ended by the other side."""
    calls = [("in-turn", each) for each in in_turn] + [("at-once", each) for each in at_once]
    events: Events = changed([call_started()], a(CallStarted), limits=limits or {})
    for number, (round_, became) in enumerate(calls, start=1):
        events.append(
            CallBeside(
                at=0.1 * number,
                round="in-turn" if round_ == "in-turn" else "at-once",
                number=number,
                status=429 if became == "n" else 200,
                connected=became != "n",
                live=became == "y",
            )
        )
    return [*events, *ending(2.0)]


@case("lifecycle.calls-per-caller", "no-limit")
def every_call_is_live() -> Events:
    return beside("yyyy", "yyyy")


@case("lifecycle.calls-per-caller", "limit-raced")
def in_turn_the_older_one_is_ended_and_at_once_none() -> Events:
    return beside("xxxy", "yyyy")


@case("lifecycle.calls-per-caller", "limit-raced")
def in_turn_the_second_is_refused_and_at_once_two_slip_through() -> Events:
    return beside("ynnn", "ynyn")


@case("lifecycle.calls-per-caller", "limit-not-shared")
def one_is_refused_and_the_next_is_not() -> Events:
    return beside("ynyn", "nnnn")


@case("lifecycle.calls-per-caller", "too-many-calls")
def more_than_a_caller_may_have() -> Events:
    return beside("yyyn", "yyyn", {"calls_per_caller": 2.0})


def limited(seconds: float, events: Events) -> Events:
    return changed(events, a(CallStarted), limits={"longest_call_s": seconds})


@case("lifecycle.time-limit-kept", "call-outlives-limit")
def nobody_ends_it_at_its_limit() -> Events:
    return limited(2.0, healthy_events())


@case("lifecycle.time-limit-kept", "hang-up-refused")
def another_key_ends_nothing_at_the_limit() -> Events:
    url = "http://127.0.0.1:8089/v1/realtime/calls/rtc_1/hangup"
    sent = HttpRequest(at=2.1, side="upstream", method="POST", url=url, purpose=HANG_UP)
    answered = HttpResponse(at=2.11, side="upstream", status=404, purpose=HANG_UP)
    return [*limited(2.0, healthy_events()), sent, answered]
