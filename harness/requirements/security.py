"""What a caller must never see, and never be able to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from harness.core import probes
from harness.core.events import AnswerReceived, HttpRequest, HttpResponse, SecretSeen, ServerEvent
from harness.core.stages import CallStage
from harness.core.strict_json import as_text
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked, started
from harness.requirements.exchanges import (
    Exchange,
    excerpt,
    exchanges,
    header,
    stack_trace,
    upstream_offers,
)
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

# A secret key, whole or as redaction leaves it. Ephemeral keys (ek_…) are made for browsers.
SECRET_KEY = re.compile(r"\bsk-(?:\[redacted\]|[A-Za-z0-9_-]{16,})")

_TURN = re.compile(r"\"turns?:[^\"]")
_PASSWORD = re.compile(r"\"(?:credential|password)\"\s*:\s*\"[^\"]")

RESPONDED = Condition(
    "the target answered",
    lambda t: None if t.first(HttpResponse) else NotApplicable("the target answered nothing"),
)


@requirement(
    "security.key-not-exposed",
    "The secret key never reaches the caller",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI, best practices for API key safety",
        "Never deploy your key in client-side environments like browsers or mobile apps.",
        "https://help.openai.com/en/articles/5112595-best-practices-for-api-key-safety",
    ),
    needs=("token.ephemeral",),
    when=(RESPONDED,),
    causes={
        "key-exposed": Cause(
            "the relay's secret key came back to the caller",
            "revoke the key now, then remove it from what the relay returns: debug headers, echoed requests, "
            "error bodies with the upstream's request",
        )
    },
)
def key_not_exposed(timeline: Timeline) -> Finding:
    """No secret in response headers or bodies, in the answer, or in server events."""
    seen = timeline.first(SecretSeen, where=lambda e: not e.where.startswith("page: "))  # see page.no-key
    if seen is not None:
        return Violation(
            "key-exposed", f"in {seen.where}", (Evidence(seen.at, f"{seen.where}: {seen.excerpt}"),)
        )
    for at, where, text in _received(timeline):
        found = SECRET_KEY.search(text)
        if found:
            around = text[max(0, found.start() - 40) : found.start()] + "sk-[redacted]"
            return Violation("key-exposed", f"in {where}", (Evidence(at, f"{where}: {excerpt(around)}"),))
    return None


def _received(timeline: Timeline) -> Iterator[tuple[float, str, str]]:
    """Everything that came to the caller, as text, with its moment and place."""
    for response in timeline.all(HttpResponse):
        for name, value in response.headers:
            yield response.at, f"response header {name}", value
        yield response.at, "response body", response.body
    for answer in timeline.all(AnswerReceived):
        yield answer.at, "answer", answer.sdp
    for event in timeline.all(ServerEvent):
        text = event.raw if event.event is None else as_text(event.event)
        yield event.at, f"server event {event.type or '(not JSON)'}", text


@requirement(
    "security.auth-required",
    "Without credentials nobody can make a call",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever knows the address",
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 9110, section 15.5.2",
        "401 says that the request lacks valid credentials; each call that is made is billed to the "
        "relay's key.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
    ),
    when=(asked(probes.UNAUTHENTICATED, "the target declares auth, so an offer without it was sent"),),
    causes={
        "relay-open": Cause(
            "the relay made a call for somebody without credentials",
            "check the session cookie or token before forwarding and answer 401 without it; a check in the "
            "page's own code protects nothing",
        )
    },
)
def auth_required(timeline: Timeline) -> Finding:
    """The offer without credentials is refused."""
    for exchange in exchanges(timeline, probes.UNAUTHENTICATED):
        if exchange.ended_at is None:
            return Inconclusive("the record ends before the relay answered")
        if exchange.succeeded:
            return Violation("relay-open", f"status {exchange.status}", exchange.evidence())
    return None


def _needs_token(timeline: Timeline) -> NotApplicable | None:
    asked_for = [header(e.request.headers, "access-control-request-headers") for e in _foreign(timeline)]
    if any("authorization" in (names or "").lower() for names in asked_for):
        return NotApplicable("an offer needs a token, which no foreign page has")
    return None


def _foreign(timeline: Timeline) -> list[Exchange]:
    return exchanges(timeline, probes.FOREIGN_PREFLIGHT)


@requirement(
    "security.foreign-origin-refused",
    "A page of another origin may not send offers",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever opens a page that calls on your bill",
    severity=Severity.NORMAL,
    source=Source(
        "OWASP, HTML5 Security Cheat Sheet, Cross Origin Resource Sharing",
        "Allow only selected, trusted domains. Any page that may post offers makes its visitors' browsers "
        "spend the relay's money; where cookies let them in, as those very users (then it is a MUST).",
        "https://cheatsheetseries.owasp.org/cheatsheets/HTML5_Security_Cheat_Sheet.html",
    ),
    when=(
        asked(probes.FOREIGN_PREFLIGHT, "an origin is configured, so a preflight of another was sent"),
        Condition("an offer needs no token", _needs_token),
    ),
    causes={
        "foreign-origin-allowed": Cause(
            "the relay lets a page of any origin send offers",
            "answer Access-Control-Allow-Origin only to the origins of your own pages, from a list: neither "
            "* nor the Origin that came, and Access-Control-Allow-Credentials never with either",
        )
    },
)
def foreign_origin_refused(timeline: Timeline) -> Finding:
    """The preflight of a page elsewhere is not answered with leave for its origin."""
    for exchange in _foreign(timeline):
        if exchange.ended_at is None:
            return Inconclusive("the record ends before the relay answered")
        if exchange.response is None or not exchange.succeeded:
            continue
        headers = exchange.response.headers
        allowed = header(headers, "access-control-allow-origin")
        if allowed not in ("*", probes.FOREIGN_ORIGIN):
            continue
        with_cookies = (header(headers, "access-control-allow-credentials") or "").lower() == "true"
        binding = with_cookies and allowed != "*"
        seen = f"Access-Control-Allow-Origin: {allowed}" + (", with credentials" if binding else "")
        level = Level.MUST if binding else None
        return Violation("foreign-origin-allowed", seen, exchange.evidence(), level=level)
    return None


def _hands_out_nothing(timeline: Timeline) -> NotApplicable | None:
    first = next(iter(exchanges(timeline, probes.OPEN_ICE)), None)
    return None if first and first.ended_at is not None else NotApplicable("the endpoint did not answer")


@requirement(
    "security.ice-credentials-guarded",
    "TURN credentials are for those who may call",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever knows the address of the endpoint",
    severity=Severity.NORMAL,
    source=Source(
        "RFC 8656, section 21.1.6; OWASP API Security 2023, API4",
        "Whoever has credentials can relay through the server, for any purpose and at its owner's cost.",
        "https://www.rfc-editor.org/rfc/rfc8656#section-21",
    ),
    when=(
        asked(probes.OPEN_ICE, "the target has an endpoint for ICE servers, and it wants credentials"),
        Condition("the endpoint answered", _hands_out_nothing),
    ),
    causes={
        "turn-credentials-open": Cause(
            "the target hands TURN credentials to somebody without credentials",
            "check the session or token before the TURN provider is asked, as for an offer; give each user "
            "credentials that last minutes, and set the provider's limit of traffic",
        )
    },
)
def ice_credentials_guarded(timeline: Timeline) -> Finding:
    """No TURN URL with a password comes back to nobody in particular; STUN servers are nobody's secret."""
    exchange = exchanges(timeline, probes.OPEN_ICE)[0]
    if not exchange.succeeded or not _TURN.search(exchange.body) or not _PASSWORD.search(exchange.body):
        return None
    seen = f"status {exchange.status}, with a TURN server and its password"
    request, *_ = exchange.evidence()
    return Violation("turn-credentials-open", seen, (request,))


@requirement(
    "security.session-not-injectable",
    "A caller cannot choose the session's model, instructions or tools",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever sends a session of their own",
    severity=Severity.CRITICAL,
    source=Source(
        "OWASP API Security 2023, API3 (broken object property level authorization)",
        "A server takes from its client only the properties that the client may set.",
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
    ),
    when=(asked(probes.INJECTION, "a session of the caller's own was smuggled in"),),
    causes={
        "session-injected": Cause(
            "the caller's own session configuration reached the upstream",
            "take nothing but the SDP from the request; build session, model and instructions on the server, "
            "and do not spread the request's body or query into them",
        )
    },
)
def session_not_injectable(timeline: Timeline) -> Finding:
    """The probe's marker is in nothing that the relay sent upstream, nor in the session that resulted."""
    marker = next((e.request.case for e in exchanges(timeline, probes.INJECTION)), "")
    if not marker:
        return Inconclusive("the probe carries no marker to look for")
    for exchange in upstream_offers(timeline):
        if marker in _sent_on(exchange.request):
            seen = f"{marker} stands in the relay's request"
            return Violation("session-injected", seen, exchange.evidence())
    for event in timeline.server_events("session.created", "session.updated"):
        if marker in as_text(event.event):
            seen = f"{marker} stands in {event.type}"
            return Violation("session-injected", seen, (Evidence(event.at, seen),))
    if upstream_offers(timeline) or timeline.server_events("session.created"):
        return None
    if all(not e.succeeded for e in exchanges(timeline, probes.INJECTION)):
        return None  # refused outright
    mode = started(timeline).mode
    return NotApplicable(f"what became of the session cannot be seen ({mode}): run with --fake-openai")


@requirement(
    "security.choices-bounded",
    "What a caller may choose stays within its bounds",
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever sends what no page would",
    severity=Severity.CRITICAL,
    stage=CallStage.ANSWER,
    source=Source(
        "OWASP API Security 2023, API4 (unrestricted resource consumption)",
        "Define and enforce a maximum size of data on all incoming parameters, and validate them.",
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
    ),
    when=(asked(probes.CHOICE, "the target declares what callers may choose, so more was asked for"),),
    causes={
        "choice-unbounded": Cause(
            "a value beyond the declared bounds reached the upstream",
            "check it on the server: a voice against a list, a text's length; refuse with 400, or take "
            "your own",
        )
    },
)
def choices_bounded(timeline: Timeline) -> Finding:
    """What was beyond a bound is in nothing that the relay sent upstream, nor in the session."""
    exchange = next(iter(exchanges(timeline, probes.CHOICE)), None)
    marker = exchange.request.case if exchange else ""
    if exchange is None or not marker:
        return Inconclusive("the probe carries no marker to look for")
    for upstream in upstream_offers(timeline):
        if marker in _sent_on(upstream.request):
            return Violation(
                "choice-unbounded", f"{marker} stands in the relay's request", upstream.evidence()
            )
    for event in timeline.server_events("session.created", "session.updated"):
        if marker in as_text(event.event):
            seen = f"{marker} stands in {event.type}"
            return Violation("choice-unbounded", seen, (Evidence(event.at, seen),))
    if upstream_offers(timeline) or timeline.server_events("session.created") or not exchange.succeeded:
        return None
    return NotApplicable("what became of the choice cannot be seen: run with --fake-openai")


def _sent_on(request: HttpRequest) -> str:
    parts = [f"{p.name} {p.filename or ''} {p.body}" for p in request.parts]
    headers = [f"{name}: {value}" for name, value in request.headers]
    return unquote("\n".join([request.url, request.body, *parts, *headers]))


@requirement(
    "security.errors-reveal-nothing",
    "Error responses reveal nothing of the inside",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever provokes an error",
    severity=Severity.NORMAL,
    source=Source(
        "CWE-209",
        "An error message that includes sensitive information about its environment helps an attacker.",
        "https://cwe.mitre.org/data/definitions/209.html",
    ),
    when=(RESPONDED,),
    causes={
        "stack-trace-exposed": Cause(
            "an error response shows a stack trace",
            "run in production mode and answer errors with a fixed JSON body; log the exception instead",
        )
    },
)
def errors_reveal_nothing(timeline: Timeline) -> Finding:
    """No stack trace in a response with status 400 or above; bad offers have a requirement of their own."""
    for exchange in exchanges(timeline):
        if exchange.request.purpose == probes.BAD_OFFER or (exchange.status or 0) < 400:
            continue
        trace = stack_trace(exchange.body)
        if trace is not None:
            return Violation(
                "stack-trace-exposed", f"status {exchange.status} with {trace}", exchange.evidence()
            )
    return None
