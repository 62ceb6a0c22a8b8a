"""OpenAI takes the session that the relay asks for: its model is there, and no text of it is too long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.core.fields import field, items, table, text
from harness.core.models import day_of, shut_down_of
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.arrivals import arrivals
from harness.requirements.conditions import OFFERED, started
from harness.requirements.exchanges import (
    Exchange,
    as_json,
    error_of,
    excerpt,
    forwarded_session,
    offer_exchange,
    upstream_offers,
)
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

TOO_LONG = "string_above_max_length"
NO_MODEL = "model_not_found"
LONGEST_DESCRIPTION = 1024  # characters of a tool's description
# As a relay may pass them on in a body of its own, by the code or in the message's words.
NAMED = re.compile(
    rf"(?P<long>{TOO_LONG})|{NO_MODEL}|model `[^`]*` does not exist|does not have access to (?:the )?model",
    re.IGNORECASE,
)
MODEL_QUOTED = re.compile(r"model [`'\"]?([\w.:-]+)[`'\"]? does not exist", re.IGNORECASE)


@dataclass(frozen=True)
class SessionRefusal:
    """An error that names what OpenAI would not take: its `code`, where it was said, and in what words."""

    code: str
    at: float | None
    where: str
    message: str = ""
    param: str = ""
    status: int | None = None


@requirement(
    "signaling.session-accepted",
    "OpenAI takes the session that the relay asks for",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI API reference, create call; deprecations",
        "The session names a model that the project may use. A session with one value out of bounds is "
        "refused as a whole.",
        "https://platform.openai.com/docs/api-reference/realtime/create-call",
    ),
    needs=("signaling.session-forwarded",),
    when=(OFFERED,),
    causes={
        "model-not-found": Cause(
            "OpenAI has no such model",
            "set the session's model to one that GET /v1/models lists for the relay's key "
            "(gpt-realtime-2.1); the key is good, so leave it alone",
        ),
        "model-not-allowed": Cause(
            "the relay's project may not use the model",
            "allow the model in the project's limits on platform.openai.com, or take one that GET /v1/models "
            "lists for the relay's key; the key itself is good",
        ),
        "string-above-max-length": Cause(
            "a text in the session is too long, so OpenAI refuses the session as a whole",
            "shorten what `param` names (a tool's description may have 1,024 characters) and move the rest "
            "into the instructions: until then the call has no session of yours, or is not made at all",
        ),
    },
)
def session_accepted(timeline: Timeline) -> Finding:
    """No refusal names the model or a text's length, and no tool that was sent on is described at length."""
    for refused in _refusals(timeline):
        evidence = (Evidence(refused.at, f"{refused.where}: {excerpt(refused.message or refused.code)}"),)
        if refused.code == TOO_LONG:
            seen = f"{refused.where}, {refused.param or 'no field named'}: {refused.message or TOO_LONG}"
            return Violation("string-above-max-length", seen, evidence)
        cause = "model-not-allowed" if refused.status == 403 else "model-not-found"
        seen = f"{refused.where}, {NO_MODEL}: {_named_model(timeline, refused)}"
        return Violation(cause, seen, evidence)
    for at, session in _sent_sessions(timeline):
        for path, length in _long_descriptions(session):
            seen = f"{path} has {length:,} characters, {LONGEST_DESCRIPTION:,} are allowed"
            return Violation("string-above-max-length", seen, (Evidence(at, f"the relay sent {path}"),))
    return None


@requirement(
    "signaling.model-lasts",
    "No model of the session is about to be shut down",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    hits="every caller, from the day of the shut-down on",
    source=Source(
        "OpenAI, deprecations; the docstrings of the openai package",
        "A model is not accessible from its shut-down date on.",
        "https://developers.openai.com/api/docs/deprecations",
    ),
    needs=("signaling.session-forwarded",),
    when=(
        Condition(
            "the session's model is known",
            lambda t: None if any(_models(t)) else NotApplicable("no model was named on this call"),
        ),
    ),
    causes={
        "model-retiring": Cause(
            "a model of the session has a date on which it is shut down",
            "take its successor before that day, and listen to it first: another model hears, speaks and "
            "costs otherwise",
        )
    },
)
def model_lasts(timeline: Timeline) -> Finding:
    """By the announced dates, counted from the day of the call: the nearest first."""
    today = day_of(started(timeline).started_at)
    ending = [(end, at, where) for at, where, model in _models(timeline) if (end := shut_down_of(model))]
    if not ending:
        return None
    end, at, where = min(ending, key=lambda each: each[0].on)
    return Violation("model-retiring", end.told(today), (Evidence(at, f"{where}: {end.model}"),))


# --- inside ---


def _refusals(timeline: Timeline) -> Iterator[SessionRefusal]:
    """By the upstream, in what a relay passes on of it, and over the channel, where we did not ask."""
    offers, ours = upstream_offers(timeline), offer_exchange(timeline)
    if not any(each.succeeded for each in offers):  # a relay may have taken another model after a refusal
        for each in offers:
            yield from _in_body(each, f"upstream answered {each.status}")
    if ours is not None and not ours.succeeded and not offers:
        for arrival in arrivals(timeline):  # of a relay that came no further than its key
            if (code := _code_in(f"{arrival.code} {arrival.message}")) and (arrival.status or 0) >= 400:
                where = f"{arrival.method} {arrival.url} was answered {arrival.status}"
                yield SessionRefusal(code, arrival.at, where, arrival.message, status=arrival.status)
        yield from _in_body(ours, f"the relay answered {ours.status}")
    sent = {str(e.event.get("event_id")) for e in timeline.client_events()}
    for event in timeline.server_events("error"):
        error = table(event.event, "error")
        code = text(error, "code")
        if code in (TOO_LONG, NO_MODEL) and text(error, "event_id") not in sent:
            yield SessionRefusal(
                code, event.at, "error over the channel", text(error, "message"), text(error, "param")
            )


def _in_body(exchange: Exchange, where: str) -> Iterator[SessionRefusal]:
    """By the error's code, or by what a relay's own words keep of it."""
    if not exchange.succeeded and (code := _code_in(exchange.body)):
        error = error_of(exchange.body) or {}
        message, param = text(error, "message"), text(error, "param")
        yield SessionRefusal(code, exchange.ended_at, where, message or exchange.body, param, exchange.status)


def _code_in(text: str) -> str:
    named = NAMED.search(text)
    return "" if named is None else TOO_LONG if named["long"] else NO_MODEL


def _named_model(timeline: Timeline, refused: SessionRefusal) -> str:
    """The model in question, with its end where that explains it."""
    quoted = MODEL_QUOTED.search(refused.message)
    asked = quoted.group(1) if quoted else next((model for *_, model in _models(timeline)), "")
    end = shut_down_of(asked)
    today = day_of(started(timeline).started_at)
    if end is not None and end.days_left(today) <= 0:
        return end.told(today)
    return asked or refused.message or "which one is not told"


def _models(timeline: Timeline) -> Iterator[tuple[float, str, str]]:
    """Moment, place and name of each model that the session was made with, its transcription's too."""
    for exchange in upstream_offers(timeline):
        for model in parse_qs(urlsplit(exchange.request.url).query).get("model", []):
            yield exchange.request.at, "the relay asked for ?model=", model
    for at, session in _sent_sessions(timeline):
        yield from _models_of(at, "the relay's session", session)
    for event in timeline.server_events("session.created", "session.updated"):
        session = field(event.event, "session")
        if isinstance(session, Mapping):
            yield from _models_of(event.at, event.type, session)


def _models_of(at: float, where: str, session: Mapping[str, Any]) -> Iterator[tuple[float, str, str]]:
    transcribes = field(session, "audio", "input", "transcription", "model")
    for what, model in (("model", session.get("model")), ("transcription.model", transcribes)):
        if isinstance(model, str) and model:
            yield at, f"{where}, {what}", model


def _sent_sessions(timeline: Timeline) -> Iterator[tuple[float, Mapping[str, Any]]]:
    for exchange in upstream_offers(timeline):
        text = forwarded_session(exchange.request)
        session = as_json(text) if text is not None else None
        if isinstance(session, Mapping):
            yield exchange.request.at, session


def _long_descriptions(session: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for index, tool in enumerate(items(session, "tools")):
        description = text(tool, "description")
        if len(description) > LONGEST_DESCRIPTION:
            yield f"tools[{index}].description", len(description)
