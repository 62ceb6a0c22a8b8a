"""Whether the relay took the offer, and how long it made the caller wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED, limit_of, started
from harness.requirements.exchanges import (
    Exchange,
    error_of,
    excerpt,
    header,
    is_html,
    offer_exchange,
    upstream_offers,
)
from harness.requirements.model import (
    Alternative,
    Cause,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

LOGIN_WORDS = re.compile(r"type=[\"']?password|log ?in|sign ?in|iniciar sesi[oó]n", re.IGNORECASE)

# What OpenAI's errors say (public reports of its users), as a relay may pass them on in a body of its own.
UPSTREAM_HINTS = (
    ("upstream-unauthorized", re.compile(r"invalid_api_key|incorrect api key|upstream_unauthorized", re.I)),
    (
        "upstream-rate-limited",
        re.compile(r"insufficient_quota|exceeded your current quota|rate_limit|upstream_rate_limited", re.I),
    ),
    (
        "upstream-offer-rejected",
        re.compile(
            r"failed to parse offer|failed to unmarshal sdp|invalid sdp offer|beta_api_shape_disabled|"
            r"upstream_offer_rejected|missing_required_parameter|unknown_parameter|model_not_found",
            re.I,
        ),
    ),
    ("upstream-error", re.compile(r"upstream_(?:failed|timeout|unreachable|answer_invalid)", re.I)),
)


@dataclass(frozen=True)
class Refusal:
    """Why the offer was not accepted."""

    cause: str
    seen: str
    alternatives: tuple[Alternative, ...] = ()


@requirement(
    "signaling.offer-accepted",
    "The relay accepts the offer",
    level=Level.MUST,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 9110, section 15.3",
        "A 2xx status says that the request was received, understood and accepted.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.3",
    ),
    needs=("signaling.preflight", "signaling.offer-forwarded-intact", "signaling.session-forwarded"),
    when=(OFFERED,),
    causes={
        "unreachable": Cause(
            "nothing answers at the target's address",
            "check that the relay runs, and host, port, scheme and DNS of --target: `curl -v URL` must "
            "connect",
        ),
        "timeout": Cause(
            "the relay took the offer and never answered",
            "give the relay's request to OpenAI a time-out (10 s) and answer 504 when it passes; look for an "
            "await that never resolves",
        ),
        "not-found": Cause(
            "the relay has no such path",
            "check the path of --target against the relay's routes, and any prefix that a proxy adds or "
            "strips",
        ),
        "method-not-allowed": Cause(
            "the relay's path takes no POST",
            "export a POST handler on this path, or point --target at the one that has it; see the Allow "
            "header",
        ),
        "unauthorized": Cause(
            "the relay refused the caller's credentials",
            "give the harness the target's token, cookie or header, and check that it is not expired",
        ),
        "login-page": Cause(
            "a login page or a redirect came instead of an answer",
            "exempt the path from the login redirect and answer 401 to API requests; give the harness a "
            "session cookie or token of a signed-in user",
        ),
        "relay-error": Cause(
            "the relay itself failed",
            "read the relay's log at this moment; the usual suspects are an unset OPENAI_API_KEY, an "
            "exception while reading the body, and a crashed process behind a proxy",
        ),
        "offer-refused": Cause(
            "the relay refused the offer",
            "compare --dialect with what the relay reads (json, sdp, multipart, …), its Content-Type and its "
            "fields; the body of the response usually says what it missed",
        ),
        "upstream-unauthorized": Cause(
            "OpenAI refused the relay's API key",
            "set OPENAI_API_KEY in the relay's own environment (no quotes, no newline, not expired, of the "
            "right project) and restart it; `curl -H 'Authorization: Bearer …' .../v1/models` tests it",
        ),
        "upstream-rate-limited": Cause(
            "OpenAI refused the call: rate limit or quota",
            "check usage, limits and billing of the project on platform.openai.com; pass 429 or 503 with "
            "Retry-After to the client",
        ),
        "upstream-offer-rejected": Cause(
            "OpenAI refused the relay's request",
            "read its message: `failed to unmarshal SDP` is a trimmed offer, `WHIP-compliant` one without "
            "audio, `beta_api_shape_disabled` the retired endpoint, `unknown_parameter` a field of the "
            "retired session",
        ),
        "upstream-error": Cause(
            "the upstream failed or did not answer, and the relay could not go on",
            "see status.openai.com; check the relay's way out (DNS, egress, proxy) and OPENAI_BASE_URL",
        ),
    },
)
def offer_accepted(timeline: Timeline) -> Finding:
    """The POST is answered with a 2xx status by the relay, not by a login page."""
    exchange = offer_exchange(timeline)
    if exchange is None:
        return NotApplicable("no offer was sent")
    if exchange.ended_at is None:
        return Inconclusive("the record ends before the relay answered")
    refusal = _refusal(timeline, exchange)
    if refusal is None:
        return None
    upstream = tuple(line for e in upstream_offers(timeline) for line in e.evidence())
    return Violation(refusal.cause, refusal.seen, exchange.evidence() + upstream, refusal.alternatives)


def _refusal(timeline: Timeline, exchange: Exchange) -> Refusal | None:
    if exchange.failed is not None:
        return _no_response(timeline, exchange)
    if exchange.response is None:
        return None
    status, location = exchange.response.status, header(exchange.response.headers, "location")
    login = is_html(exchange.response) and LOGIN_WORDS.search(exchange.body)
    if 300 <= status < 400:
        return Refusal("login-page", f"status {status} to {location}")
    if login:
        return Refusal("login-page", f"status {status} with an HTML page that asks to log in")
    if exchange.succeeded:
        return None
    return _by_upstream(timeline, exchange) or _by_status(timeline, exchange)


def _no_response(timeline: Timeline, exchange: Exchange) -> Refusal:
    failure = exchange.failed.failure if exchange.failed else ""
    detail = f" ({exchange.failed.detail})" if exchange.failed and exchange.failed.detail else ""
    host = urlsplit(exchange.request.url).netloc
    if failure == "timeout":
        waited = f"no response within {exchange.seconds or 0:.1f} s"
        upstream = upstream_offers(timeline)
        if upstream:
            end = upstream[-1]
            answered = f"answered {end.status} at {end.ended_at:.3f} s" if end.response else "never answered"
            waited += f"; the upstream {answered}"
        return Refusal(
            "timeout", waited, _unseen(timeline, "upstream-error", "OpenAI may not answer the relay")
        )
    if failure in ("dropped", "protocol"):
        return Refusal("relay-error", f"{host} closed the connection without a response{detail}")
    return Refusal("unreachable", f"{failure} at {host}{detail}")


def _by_upstream(timeline: Timeline, exchange: Exchange) -> Refusal | None:
    """What both ends show; without the other end, what the body betrays of it."""
    relayed = f"the relay answered {exchange.status}"
    offers = upstream_offers(timeline)
    if offers and not offers[-1].succeeded:
        upstream = offers[-1]
        cause = _cause_of_status(upstream.status)
        said = f"upstream answered {upstream.status}" if upstream.response else "upstream never answered"
        error = error_of(upstream.body) or {}
        code = f" {error.get('code') or error.get('message')}" if error else ""
        return Refusal(cause, f"{said}{code}; {relayed}")
    if offers or started(timeline).mode != "black-box":
        return None
    for cause, pattern in UPSTREAM_HINTS:
        found = pattern.search(exchange.body)
        if found:
            return Refusal(cause, f"{relayed}, and its body names {found.group()!r}")
    return None


def _cause_of_status(status: int | None) -> str:
    if status in (401, 403):
        return "upstream-unauthorized"
    if status == 429:
        return "upstream-rate-limited"
    if status is not None and 400 <= status < 500:
        return "upstream-offer-rejected"
    return "upstream-error"


def _by_status(timeline: Timeline, exchange: Exchange) -> Refusal:
    status = exchange.status or 0
    seen = f"status {status}: {excerpt(exchange.body)}"
    passed_on = f"a relay that passes OpenAI's own {status} on looks the same from here"
    if status == 404:
        return Refusal("not-found", seen, _unseen(timeline, "upstream-offer-rejected", passed_on))
    if status == 405:
        allow = header(exchange.response.headers, "allow") if exchange.response else None
        return Refusal("method-not-allowed", f"status 405, Allow: {allow or 'not given'}")
    if status in (401, 403, 407):
        return Refusal("unauthorized", seen, _unseen(timeline, "upstream-unauthorized", passed_on))
    if status in (502, 504):
        return Refusal(
            "relay-error",
            seen,
            (Alternative("upstream-error", f"{status} is what a gateway says when its upstream failed"),),
        )
    if status >= 500:
        return Refusal("relay-error", seen)
    other = "upstream-rate-limited" if status == 429 else "upstream-offer-rejected"
    return Refusal("offer-refused", seen, _unseen(timeline, other, passed_on))


def _unseen(timeline: Timeline, cause: str, because: str) -> tuple[Alternative, ...]:
    """What the upstream may have had to do with it, where its end is not seen."""
    return (Alternative(cause, because),) if started(timeline).mode == "black-box" else ()


@requirement(
    "signaling.answer-time",
    "The answer comes soon",
    level=Level.SHOULD,
    severity=Severity.NORMAL,
    source=Source(
        "Advice: a user waits in silence until the answer is there",
        "OpenAI answers in well under a second; a relay has little to add.",
    ),
    needs=("signaling.offer-accepted",),
    when=(OFFERED,),
    causes={
        "slow-answer": Cause(
            "the answer came late",
            "look at what the relay does before it forwards (database, token mint, cold start), keep its "
            "connection to OpenAI open, and run it near OpenAI's region",
        )
    },
)
def answer_time(timeline: Timeline) -> Finding:
    """From the POST to the end of its response, against the limit `answer_s`."""
    exchange = offer_exchange(timeline)
    allowed = limit_of(timeline, "answer_s")
    if exchange is None or exchange.seconds is None or exchange.seconds <= allowed:
        return None
    upstream = [e for e in upstream_offers(timeline) if e.seconds is not None]
    share = f", of which the upstream took {upstream[-1].seconds:.2f} s" if upstream else ""
    seen = f"{exchange.seconds:.2f} s against {allowed:g} s{share}"
    return Violation("slow-answer", seen, exchange.evidence())
