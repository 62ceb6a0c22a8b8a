"""Whether the relay took the offer."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from harness.core.events import UpstreamUnavailable
from harness.core.probes import OFFER
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.arrivals import arrivals, evidence, was_asked
from harness.requirements.conditions import OFFERED, started
from harness.requirements.exchanges import (
    Exchange,
    as_json,
    error_of,
    excerpt,
    exchanges,
    is_html,
    offer_exchange,
    upstream_offers,
)
from harness.requirements.in_front import CAUSES, GUARD, cause_in_front, redirected_to
from harness.requirements.model import (
    Alternative,
    Because,
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
from harness.requirements.signaling.refusal import OfferRefusal, by_status, unseen
from harness.requirements.signaling.upstream_words import by_words, cause_of, words_of

# What a program says that reads SDP as JSON.
UNREAD = re.compile(
    r"unexpected token|not valid json|jsondecodeerror|expecting value|in json at position|invalid json|"
    r"body (?:is unusable|has already been read)|unexpected end of json",
    re.IGNORECASE,
)
# What a framework says for a handler that raised, rather than what its author wrote.
CRASHED = re.compile(
    r"internal server error|traceback|<html|an error occurred|^\s*at .+:\d+:\d+", re.I | re.M
)
GAVE_UP = re.compile(r"time[d ]?.?out|aborted|deadline exceeded", re.IGNORECASE)
LOGIN_WORDS = re.compile(r"type=[\"']?password|log ?in|sign ?in|iniciar sesi[oó]n", re.IGNORECASE)


# What a relay says, or does, when its upstream is gone: which is ours where that is the fake.
OF_A_LOST_UPSTREAM = ("relay-error", "upstream-error", "timeout")


@requirement(
    "signaling.offer-accepted",
    "The relay accepts the offer",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 9110, section 15.3",
        "A 2xx status says that the request was received, understood and accepted.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.3",
    ),
    needs=(
        "token.minted",
        "token.ephemeral",
        "token.expiry",
        "token.usable",
        "page.channel-before-offer",
        "page.offer-sent",
        "page.offer-unchanged",
        "signaling.preflight",
        "signaling.offer-reaches-upstream",
        "signaling.offer-forwarded-intact",
        "signaling.session-accepted",
        "signaling.offer-shape-accepted",
    ),
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
            in_time=True,
        ),
        "not-found": Cause(
            "the relay has no such path",
            "check the path of --target against the relay's routes, and any prefix that a proxy adds or "
            "strips",
        ),
        "method-not-allowed": Cause(
            "the relay's path does not take the offer's method",
            "export a handler for it on this path, or point --target at the one that has it; see the Allow "
            "header, and `method` of the dialect in harness.toml",
        ),
        "unauthorized": Cause(
            "the relay refused the caller's credentials",
            "give the harness the target's token, cookie or header, and check that it is not expired",
        ),
        "login-page": Cause(
            "a login page, or a redirect to one, came instead of an answer",
            "exempt the path from the login redirect and answer 401 to API requests; give the harness a "
            "session cookie or token of a signed-in user",
        ),
        **CAUSES,
        "relay-error": Cause(
            "the relay itself failed",
            "read the relay's log at this moment; the usual suspects are an unset OPENAI_API_KEY, an "
            "exception while reading the body, and a crashed process behind a proxy",
            in_time=True,
        ),
        "wrong-content-encoding": Cause(
            "the relay's answer is encoded as nobody asked for, or not as its Content-Encoding says",
            "do not copy the upstream's response headers: fetch and most HTTP clients have decoded the body "
            "already, so drop Content-Encoding, Content-Length and Transfer-Encoding and let your framework "
            "write its own",
        ),
        "offer-refused": Cause(
            "the relay refused the offer",
            "compare the dialect with what the relay reads (`harness doctor` tries many), its Content-Type "
            "and its fields; the body of the response usually says what it missed",
        ),
        "answer-unfinished": Cause(
            "the relay began its answer and did not end it",
            "end the response: a stream that is never closed, a Content-Length longer than the body, a proxy "
            "that buffers; read the upstream's body whole, then send it in one piece",
            in_time=True,
        ),
        "created-taken-for-failure": Cause(
            "OpenAI made the call and said 201 Created, and the relay took that for a failure",
            "201 is the success of /v1/realtime/calls: test response.ok (200 to 299), not status === 200",
        ),
        "answer-unread": Cause(
            "OpenAI made the call, and the relay failed on its answer",
            "the answer is SDP as text, not JSON: read it once with await response.text(), and return it as "
            "it is; the relay's log at this moment has the exception",
        ),
        "upstream-region": Cause(
            "OpenAI refuses the place where the relay runs",
            "move the relay, or its way out, to a country that OpenAI supports; its egress address "
            "counts (serverless: pin the function's region; beware of VPNs and proxies), not the key",
        ),
        "upstream-address": Cause(
            "OpenAI refuses the address that the relay calls from",
            "add the relay's egress address to the project's IP allowlist, or give it a fixed one",
        ),
        "upstream-permission": Cause(
            "OpenAI takes the relay's key, but not for this",
            "look at the key's permissions (Realtime needs write access), and at the OpenAI-Organization and "
            "OpenAI-Project headers: they must be the key's own",
        ),
        "upstream-voice": Cause(
            "OpenAI has no such voice",
            "set session.audio.output.voice to one of the values that its message lists",
        ),
        "upstream-session": Cause(
            "OpenAI refused the session that the relay asks for",
            "its message names the field: correct that in the relay's session configuration; nothing of the "
            "offer is at fault",
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
            "read its message: `failed to unmarshal SDP` is a trimmed or rewritten offer, `WHIP-compliant` "
            "one without audio",
        ),
        "upstream-unexplained": Cause(
            "OpenAI refused the relay's request with 400 and said nothing of why",
            "compare the request in the evidence with the reference: a form whose Content-Type has another "
            "boundary, a part that is a file instead of text, an SDP without its last line end; send it once "
            "with curl to see whether the same bytes are refused",
        ),
        "upstream-error": Cause(
            "the upstream failed or did not answer, and the relay could not go on",
            "see status.openai.com; check the relay's way out (DNS, egress, proxy) and OPENAI_BASE_URL",
            in_time=True,
        ),
    },
)
def offer_accepted(timeline: Timeline) -> Finding:
    """The request is answered with a 2xx status by the relay, not by a login page."""
    exchange = offer_exchange(timeline)
    if exchange is None:
        return NotApplicable("no offer was sent")
    if exchange.ended_at is None:
        return Inconclusive("the record ends before the relay answered")
    refusal = _refusal(timeline, exchange)
    if refusal is None:
        return None
    gone = timeline.first(UpstreamUnavailable, side=None)
    if gone is not None and refusal.cause in OF_A_LOST_UPSTREAM:
        ours = f"the fake behind the relay does not answer us either: {gone.reason}"
        return Inconclusive(f"{refusal.seen}; but {ours}")
    upstream = [line for e in upstream_offers(timeline) for line in e.evidence()]
    upstream = upstream or [evidence(arrival) for arrival in arrivals(timeline)]
    return Violation(refusal.cause, refusal.seen, (*exchange.evidence(), *upstream), refusal.alternatives)


def _refusal(timeline: Timeline, exchange: Exchange) -> OfferRefusal | None:
    if exchange.failed is not None:
        return _no_response(timeline, exchange)
    if exchange.response is None:
        return None
    status = exchange.response.status
    if (redirection := _redirection(timeline, exchange)) is not None:
        return redirection
    if is_html(exchange.response) and LOGIN_WORDS.search(exchange.body):
        return OfferRefusal("login-page", f"status {status} with an HTML page that asks to log in")
    if cause_in_front(exchange.response) == GUARD:
        return OfferRefusal(GUARD, f"status {status}: {excerpt(exchange.body)}")
    if exchange.succeeded and not _tells_of_an_error(exchange):
        return _hidden(timeline, exchange)
    if (spoilt := _spoilt(timeline, exchange)) is not None:
        return spoilt
    if exchange.succeeded:
        return None  # signaling.answer-is-sdp says what it is
    return _by_upstream(timeline, exchange) or by_status(timeline, exchange)


def _redirection(timeline: Timeline, exchange: Exchange) -> OfferRefusal | None:
    """Of the offer itself, where it led to no answer."""
    first = exchanges(timeline, OFFER)[0]
    cause, location = redirected_to(first.response) if first.response else ("", "")
    found_a_login = cause == "login-page" and exchange.response is not None and is_html(exchange.response)
    if not cause or (exchange.succeeded and not found_a_login):
        return None
    followed = exchange.request is not first.request and exchange.response is not None
    there = f", and there: {exchange.status}" if followed else ""
    return OfferRefusal(cause, f"status {first.status} to {location}{there}")


def _no_response(timeline: Timeline, exchange: Exchange) -> OfferRefusal:
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
        elif was_asked(timeline) is not None:
            waited += "; nothing of it reached the fake, so it hangs before it forwards"
        return OfferRefusal(
            "timeout", waited, unseen(timeline, "upstream-error", "OpenAI may not answer the relay")
        )
    if failure == "unfinished":
        return OfferRefusal("answer-unfinished", f"no end within {exchange.seconds or 0:.1f} s{detail}")
    if failure == "encoding":
        return OfferRefusal("wrong-content-encoding", f"it cannot be read{detail}")
    if failure in ("dropped", "protocol"):
        return OfferRefusal("relay-error", f"{host} closed the connection without a response{detail}")
    return OfferRefusal("unreachable", f"{failure} at {host}{detail}")


def _hidden(timeline: Timeline, exchange: Exchange) -> OfferRefusal | None:
    """The upstream refused, and the relay says success in words of its own: the upstream's are the cause.

    A relay that passes the upstream's words on as the answer is signaling.answer-is-sdp's.
    """
    sent = upstream_offers(timeline)
    words = [e.body.strip() for e in sent]
    if "v=0" in exchange.body or any(e.succeeded for e in sent) or error_of(exchange.body) is not None:
        return None
    if any(each and each in exchange.body for each in words):
        return None
    refusal = _by_upstream(timeline, exchange)
    if refusal is None:
        return None
    body = excerpt(exchange.body, 60) if exchange.body.strip() else "an empty body"
    return replace(refusal, seen=f"{refusal.seen}, as if it were an answer: {body}")


def _tells_of_an_error(exchange: Exchange) -> bool:
    """A success by its status that its own body denies."""
    told = as_json(exchange.body)
    if not isinstance(told, dict) or isinstance(told.get("sdp"), str):
        return False
    return bool(told.get("error")) or told.get("ok") is False or told.get("success") is False


def _spoilt(timeline: Timeline, exchange: Exchange) -> OfferRefusal | None:
    """The upstream made the call, and the relay made nothing of it."""
    body = exchange.body
    made = next((e for e in upstream_offers(timeline) if e.succeeded), None)
    answer_inside = "v=0" in body and "m=audio" in body
    if made is None and not (started(timeline).mode == "black-box" and answer_inside):
        return None
    upstream = f"the upstream answered {made.status}" if made else "its body holds the upstream's answer"
    seen = f"{upstream}, the relay {exchange.status}: {excerpt(body)}"
    if made is not None and (exchange.status == 504 or GAVE_UP.search(body) or _too_late(made, exchange)):
        return OfferRefusal("upstream-error", f"the relay did not wait for it: {seen}")
    unread = UNREAD.search(body) is not None
    crashed = exchange.status == 500 and (CRASHED.search(body) is not None or not body.strip())
    if unread or crashed:
        other = () if unread else (Alternative("created-taken-for-failure", "it may test for status 200"),)
        return OfferRefusal("answer-unread", seen, other)
    if answer_inside or "201" in body:
        return OfferRefusal("created-taken-for-failure", seen)
    other = (Alternative("answer-unread", "it may have failed on reading the answer"),)
    return OfferRefusal("created-taken-for-failure", seen, other)


def _too_late(made: Exchange, relayed: Exchange) -> bool:
    """The upstream's answer came when the relay had answered already."""
    return (made.ended_at or 0.0) > (relayed.ended_at or 0.0)


def _by_upstream(timeline: Timeline, exchange: Exchange) -> OfferRefusal | None:
    """What both ends show; without the other end, what the body betrays of it."""
    relayed = f"the relay answered {exchange.status}"
    offers = upstream_offers(timeline)
    if offers:
        last = offers[-1]
        if last.succeeded:
            return None
        words = words_of(last.body)
        said = f"upstream answered {last.status}" if last.response else "upstream never answered"
        cause = cause_of(last.status, words)
        if cause == "upstream-offer-rejected" and _says_nothing(last.body):
            cause = "upstream-unexplained"
        return OfferRefusal(cause, f"{said} {words}".rstrip() + f"; {relayed}")
    refused = [e for e in arrivals(timeline) if e.status is None or e.status >= 400]
    if refused:
        words = f"{refused[-1].code}: {refused[-1].message}".strip(": ")
        said = f"{refused[-1].method} {refused[-1].url} was answered {refused[-1].status}"
        return OfferRefusal(cause_of(refused[-1].status, words), f"{said} {words}".rstrip() + f"; {relayed}")
    if started(timeline).mode != "black-box":
        return None
    if (named := by_words(exchange.body, relays_own=True)) is None:
        return None
    message = words_of(exchange.body) or exchange.body
    return OfferRefusal(named[0], f"{relayed}, and its body names {named[1]!r}: {excerpt(message, 400)}")


def _says_nothing(body: str) -> bool:
    error = error_of(body)
    return error is not None and not any(error.get(name) for name in ("message", "code", "param"))
