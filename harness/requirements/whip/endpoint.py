"""What is asked where offers go, and is no offer that could be accepted."""

from __future__ import annotations

from harness.core.probes import WHIP_ENDPOINT, WHIP_SESSION
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.exchanges import header
from harness.requirements.model import (
    Because,
    Cause,
    Finding,
    Level,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.whip.asking import NOT_IMPLEMENTED, asked_of, refused_or, rfc, told, was_asked

METHOD_NOT_ALLOWED = 405


@requirement(
    "whip.bad-post-refused",
    "What is no offer is refused with a client error",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="whoever posts something else",
    severity=Severity.NORMAL,
    stage=CallStage.ANSWER,
    source=rfc(
        "4.2",
        "Another type than application/sdp, or malformed SDP, must be rejected with a 4xx (415, 400).",
    ),
    when=(was_asked(WHIP_ENDPOINT, "malformed", "wrong-type"),),
    causes={
        "bad-post-accepted": Cause(
            "a POST that is no offer, or does not say that it is SDP, was answered with success",
            "look at Content-Type before the body (415 for all but application/sdp), and answer 400 where "
            "the body does not begin with v=0",
        ),
        "bad-post-crash": Cause(
            "the endpoint failed on a POST that is no offer instead of refusing it",
            "catch what parsing throws, and the upstream's 400, and answer 400",
        ),
    },
)
def bad_post_refused(timeline: Timeline) -> Finding:
    """A text that is no SDP, and a good offer as text/plain: each gets a 4xx."""
    cases = ("malformed", "wrong-type")
    return refused_or(timeline, WHIP_ENDPOINT, cases, "bad-post-accepted", "bad-post-crash")


@requirement(
    "whip.options",
    "OPTIONS is answered, and says what may be posted",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="whoever calls from a web page of another origin",
    severity=Severity.NORMAL,
    stage=CallStage.ANSWER,
    source=rfc("4.2", "Endpoints must support OPTIONS for CORS; its 200 should have Accept-Post."),
    when=(was_asked(WHIP_ENDPOINT, "options"),),
    causes={
        "options-refused": Cause(
            "the endpoint did not answer OPTIONS with success",
            "answer OPTIONS before looking for credentials, with your CORS headers and Accept-Post: "
            "application/sdp",
        ),
        "accept-post-missing": Cause(
            "the answer to OPTIONS does not say that it takes SDP",
            "send Accept-Post: application/sdp, by which a client knows a WHIP endpoint before it offers",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def options(timeline: Timeline) -> Finding:
    """2xx, with application/sdp in Accept-Post."""
    exchange = asked_of(timeline, WHIP_ENDPOINT, "options")
    if exchange is None or exchange.ended_at is None:
        return None
    if not exchange.succeeded or exchange.response is None:
        return Violation("options-refused", told(exchange), exchange.evidence())
    accepts = header(exchange.response.headers, "accept-post") or ""
    if "application/sdp" not in accepts.lower():
        return Violation("accept-post-missing", f"Accept-Post: {accepts or '-'}", exchange.evidence())
    return None


@requirement(
    "whip.get",
    "GET brings nothing, and breaks nothing",
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever looks with GET",
    severity=Severity.MINOR,
    stage=CallStage.ANSWER,
    source=Source(
        "WHIP, RFC 9725 and its drafts",
        "No representation is defined. Drafts wanted a GET refused with 405, then a 2xx without content.",
    ),
    when=(was_asked(WHIP_ENDPOINT, "get"),),
    causes={
        "get-crash": Cause(
            "a GET at the endpoint or the session failed with a 5xx",
            "answer 204 without a body, or 405 with Allow",
        ),
        "get-has-content": Cause(
            "a GET at the endpoint or the session brought content",
            "answer 204 without a body: a page for people belongs at another path",
        ),
    },
)
def get(timeline: Timeline) -> Finding:
    """At both, where there is a session."""
    for purpose, where in ((WHIP_ENDPOINT, "the endpoint"), (WHIP_SESSION, "the session")):
        exchange = asked_of(timeline, purpose, "get")
        if exchange is None or exchange.response is None or exchange.ended_at is None:
            continue
        if exchange.response.status >= 500:
            return Violation("get-crash", f"{told(exchange)} at {where}", exchange.evidence())
        if exchange.succeeded and exchange.body:
            return Violation(
                "get-has-content", f"{len(exchange.body)} characters at {where}", exchange.evidence()
            )
    return None


@requirement(
    "whip.other-methods",
    "A method that the endpoint does not have is refused as one",
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever takes the wrong method",
    severity=Severity.MINOR,
    stage=CallStage.ANSWER,
    source=Source(
        "RFC 9110, section 15.5.6",
        "405 says that the method is known and not allowed here; its Allow lists those that are.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6",
    ),
    when=(was_asked(WHIP_ENDPOINT, "other-method"),),
    causes={
        "method-not-refused": Cause(
            "the endpoint did not refuse PUT",
            "answer 405 with Allow: POST, OPTIONS, GET for methods that the endpoint does not have",
        ),
        "allow-missing": Cause(
            "the refusal of PUT does not say which methods there are",
            "send Allow: POST, OPTIONS, GET with each 405; clients and people read it",
        ),
    },
)
def other_methods(timeline: Timeline) -> Finding:
    """PUT gets 405 with Allow, or another refusal."""
    exchange = asked_of(timeline, WHIP_ENDPOINT, "other-method")
    if exchange is None or exchange.ended_at is None:
        return None
    status = exchange.status or 0
    if not (400 <= status < 500 or status == NOT_IMPLEMENTED):
        return Violation("method-not-refused", told(exchange), exchange.evidence())
    allows = exchange.response is not None and header(exchange.response.headers, "allow") is not None
    if status == METHOD_NOT_ALLOWED and not allows:
        return Violation("allow-missing", "status 405 without Allow", exchange.evidence())
    return None
