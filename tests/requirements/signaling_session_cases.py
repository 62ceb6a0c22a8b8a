"""What provokes each cause of a session that OpenAI does not take, or will not take for long."""

from __future__ import annotations

import json
from typing import Any

from harness.core.events import CallStarted, Event
from tests.requirements.cases import case
from tests.requirements.signaling_building import refused, session_sent, upstream_refused
from tests.support.editing import a, changed
from tests.support.timelines import SENT_SESSION, healthy_events, server

Events = list[Event]
TOO_LONG = "Invalid 'session.tools[0].description': string too long."


def error(code: str, message: str, param: str | None = None) -> str:
    return json.dumps(
        {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
    )


NO_MODEL = error(
    "model_not_found", "The model `gpt-realtime-9` does not exist or you do not have access to it."
)


@case("signaling.session-accepted", "model-not-found")
def the_model_does_not_exist() -> Events:
    return upstream_refused(404, NO_MODEL)


@case("signaling.session-accepted", "model-not-found")
def the_model_is_unknown_to_the_upstream_that_is_not_seen() -> Events:
    return refused(502, NO_MODEL, mode="black-box")


@case("signaling.session-accepted", "model-not-found")
def a_relay_quotes_openai_in_its_own_words() -> Events:
    return refused(500, "openai: 404 model_not_found", mode="black-box")


@case("signaling.session-accepted", "model-not-allowed")
def the_project_may_not_use_the_model() -> Events:
    return upstream_refused(403, NO_MODEL)


@case("signaling.session-accepted", "string-above-max-length")
def the_upstream_refuses_a_long_description() -> Events:
    return upstream_refused(400, error("string_above_max_length", TOO_LONG, "session.tools[0].description"))


@case("signaling.session-accepted", "string-above-max-length")
def a_description_that_openai_refuses_is_sent_on() -> Events:
    tool = {"type": "function", "name": "order", "description": "x" * 1025, "parameters": {}}
    return session_sent(json.dumps({**SENT_SESSION, "tools": [tool]}))


@case("signaling.session-accepted", "string-above-max-length")
def somebody_elses_update_is_refused() -> Events:
    told: dict[str, Any] = {"code": "string_above_max_length", "message": TOO_LONG, "event_id": "relay_1"}
    refusal = {"type": "invalid_request_error", "param": "session.tools[0].description", **told}
    return [*healthy_events(), server(0.45, "error", error=refusal)]


def on(day: str, events: Events) -> Events:
    """The call as it was made on a day."""
    return changed(events, a(CallStarted), started_at=f"{day}T12:00:00.000000+00:00")


def asking_for(model: str) -> Events:
    return session_sent(json.dumps({**SENT_SESSION, "model": model}))


@case("signaling.model-lasts", "model-retiring")
def the_model_has_a_date_of_shut_down() -> Events:
    return on("2026-11-26", asking_for("gpt-realtime"))


@case("signaling.model-lasts", "model-retiring")
def the_transcriptions_model_has_one() -> Events:
    audio = {"input": {"transcription": {"model": "whisper-1"}}}
    return on("2027-02-25", session_sent(json.dumps({**SENT_SESSION, "audio": audio})))


@case("signaling.session-forwarded", "retired-model")
def the_model_is_shut_down_today() -> Events:
    return on("2027-01-20", asking_for("gpt-realtime"))
