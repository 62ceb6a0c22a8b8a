"""What provokes each cause of an event that OpenAI refuses and the harness did not send."""

from __future__ import annotations

from harness.core.events import Event
from tests.requirements.cases import case
from tests.requirements.session_cases import refusal
from tests.support.timelines import healthy_events, server

Events = list[Event]


@case("session.events-accepted", "event-refused")
def a_sideband_is_refused() -> Events:
    return [*healthy_events(), refusal("event_of_a_sideband", 2.0)]


@case("session.events-accepted", "event-refused")
def somebody_who_gives_no_names_is_refused() -> Events:
    return [*healthy_events("black-box"), refusal(None, 2.0)]


@case("session.events-accepted", "limit-reached")
def the_project_has_no_more() -> Events:
    error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "You exceeded it."}
    return [*healthy_events(), server(6.0, "error", error=error)]
