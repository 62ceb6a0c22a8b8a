"""What a browser asks before it may send the offer to another origin."""

from __future__ import annotations

import re

from harness.core import probes
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked
from harness.requirements.exchanges import Exchange, exchanges, header
from harness.requirements.model import Because, Cause, Finding, Level, Severity, Source, Violation
from harness.requirements.registry import requirement

# A request whose Content-Type is one of these needs no leave for that header (Fetch, CORS-safelisted).
SAFELISTED = {"accept", "accept-language", "content-language"}

SAFELISTED_METHODS = {"GET", "HEAD", "POST", ""}  # Fetch, CORS-safelisted


@requirement(
    "signaling.preflight",
    "A browser of the configured origin may send the offer",
    stage=CallStage.OFFER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "Fetch Standard, CORS-preflight fetch",
        "The request is made only after a preflight response with an ok status that allows origin and "
        "headers.",
        "https://fetch.spec.whatwg.org/#cors-preflight-fetch",
    ),
    when=(asked(probes.PREFLIGHT, "an origin is configured, so a preflight was sent"),),
    causes={
        "cors-preflight": Cause(
            "the preflight does not let a browser send the offer",
            "answer OPTIONS on the offer's path with 204 and Access-Control-Allow-Origin: <the page's "
            "origin>, Access-Control-Allow-Methods naming the method, Access-Control-Allow-Headers naming "
            "each header asked for (`Content-Type`, `Authorization`: a * does not cover the latter), without "
            "asking for credentials",
        )
    },
)
def preflight(timeline: Timeline) -> Finding:
    """The OPTIONS request with Origin is answered so that Fetch lets the request go."""
    for exchange in exchanges(timeline, probes.PREFLIGHT):
        problem = _problem(exchange)
        if problem:
            return Violation("cors-preflight", problem, exchange.evidence())
    return None


def _problem(exchange: Exchange) -> str:
    if exchange.response is None:
        return f"no response ({exchange.failed.failure if exchange.failed else 'none came'})"
    if not exchange.succeeded:
        return f"status {exchange.status}, and only 200 to 299 lets the request go"
    headers, asked_headers = exchange.response.headers, exchange.request.headers
    origin = header(asked_headers, "origin") or ""
    allowed = header(headers, "access-control-allow-origin")
    if allowed is None:
        return "Access-Control-Allow-Origin is missing"
    if allowed not in ("*", origin):
        return f"Access-Control-Allow-Origin is {allowed!r}, the page's origin is {origin!r}"
    method = header(asked_headers, "access-control-request-method") or ""
    methods = header(headers, "access-control-allow-methods") or ""
    if (
        method not in SAFELISTED_METHODS
        and method not in re.findall(r"[A-Z*]+", methods)
        and "*" not in methods
    ):
        return f"Access-Control-Allow-Methods does not name {method}"
    allowed_headers = _names(header(headers, "access-control-allow-headers"))
    for name in sorted(_names(header(asked_headers, "access-control-request-headers")) - SAFELISTED):
        if name not in allowed_headers and ("*" not in allowed_headers or name == "authorization"):
            return f"Access-Control-Allow-Headers does not name {name!r}"
    return ""


def _names(value: str | None) -> set[str]:
    return {word.strip().lower() for word in (value or "").split(",") if word.strip()}
