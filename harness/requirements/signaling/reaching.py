"""Whether the relay's request reached the upstream's endpoint in a form that it can read at all."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from harness.core.events import RequestArrived
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.arrivals import (
    CALLS_PATH,
    arrivals,
    evidence,
    offers_arrived,
    size_of_offer,
    start_of_offer,
    strays,
    was_asked,
)
from harness.requirements.conditions import NO_GATEWAY, OFFERED, started
from harness.requirements.exchanges import (
    Exchange,
    as_json,
    error_of,
    excerpt,
    is_html,
    media_type,
    offer_exchange,
)
from harness.requirements.in_front import cause_in_front
from harness.requirements.model import (
    Because,
    Cause,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.signaling.upstream_words import SAYS_UPSTREAM_FAILED

RETIRED_PATHS = re.compile(r"/v1/realtime/?$|/realtime/(?:sessions|transcription_sessions)/?$")
PATH_WITHOUT_V1 = re.compile(r"^(?:/openai)?/+(?:realtime|live)(?:/|$)")
NOTHING = ("undefined", "null", "None", "nil", "NaN", "")
OBJECT = re.compile(r"^\[object \w+\]|^<[\w.]+ (?:object|instance) at 0x|^\{'sdp'|^map\[")
GATEWAY_FAILURES = (502, 504)

# What OpenAI says to a black box's relay, where that passes it on.
INVALID_URL = re.compile(r"Invalid URL \((\w+) ([^\s)]+)\)")
UNSUPPORTED_TYPE = re.compile(r"Unsupported content type: '([^']*)'")
UNPARSABLE = re.compile(r"failed to unmarshal SDP: .*?`([^`]*)", re.IGNORECASE)


@requirement(
    "signaling.offer-reaches-upstream",
    "The relay's request reaches the upstream's endpoint for calls",
    stage=CallStage.ARRIVAL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI API reference, create call",
        "POST /v1/realtime/calls, with the offer as application/sdp or in multipart/form-data with `sdp` and "
        "`session`.",
        "https://platform.openai.com/docs/api-reference/realtime/create-call",
    ),
    needs=("page.one-connection", "page.channel-before-offer", "page.offer-unchanged"),
    when=(NO_GATEWAY, OFFERED),
    causes={
        "retired-endpoint": Cause(
            "the relay posts to an endpoint of the retired beta",
            "post to /v1/realtime/calls with a form of `sdp` and `session` (the model stands in the session, "
            "not in ?model=), keys are minted at /v1/realtime/client_secrets; drop the OpenAI-Beta header",
        ),
        "path-without-v1": Cause(
            "the relay's request lacks /v1 in its path",
            "end OPENAI_BASE_URL in /v1, as OpenAI's own does (https://api.openai.com/v1), or put /v1 into "
            "the path that the relay appends to it",
        ),
        "path-doubled": Cause(
            "the relay's request has /v1 twice in its path",
            "either OPENAI_BASE_URL ends in /v1 or the relay appends it, not both",
        ),
        "path-unknown": Cause(
            "the relay's request went to a path that OpenAI does not serve",
            "post the offer to OPENAI_BASE_URL + /realtime/calls; look at how the relay joins the two (a "
            "doubled or missing slash, a typing error, another product's path)",
        ),
        "wrong-method": Cause(
            "the relay does not POST to the endpoint for calls",
            'set method: "POST" in the relay\'s request to OpenAI; a redirect that is followed also turns a '
            "POST into a GET",
        ),
        "form-sent-as-text": Cause(
            "the relay sends a form whose Content-Type does not say so",
            "do not set Content-Type by hand for a form: let fetch, httpx or requests write "
            "multipart/form-data with its boundary; with node's FormData use the built-in fetch",
        ),
        "form-urlencoded": Cause(
            "the relay sends a URL-encoded form",
            "send multipart/form-data: a FormData object rather than URLSearchParams; in Python files= "
            "(httpx, requests) or aiohttp.FormData with content types, not data= alone",
        ),
        "object-as-text": Cause(
            "an object was turned into text where the offer or the form should be",
            "pass the string offer.sdp, not the offer object; give fetch its own FormData (not that of the "
            "npm package form-data); with Express, set express.text({type: '*/*'}) or express.json() as the "
            "page's request needs, so that req.body is what you forward",
        ),
        "offer-undefined": Cause(
            "the relay forwards a variable that was never set",
            "compare the field that the relay reads with the one that the page sends, and await the body: "
            "`const { sdp } = await request.json()`; refuse a request without an offer with 400",
        ),
        "offer-empty": Cause(
            "the relay forwards an empty body or form",
            "look for a body that is read twice, a missing body parser (express.text, multer), and a page's "
            "Content-Type that the parser does not take; refuse a request without an offer with 400",
        ),
        "json-instead-of-sdp": Cause(
            "the relay sends JSON where the SDP should be",
            "take the text out of the page's JSON first (`const { sdp } = await request.json()`), and send "
            "it as application/sdp or as the form's part `sdp`, never JSON.stringify'd",
        ),
        "wrong-content-type": Cause(
            "the relay's request has a Content-Type that the endpoint does not take",
            "send the bare offer as application/sdp, or a form whose Content-Type the HTTP library writes",
        ),
        "cached-answer": Cause(
            "the answer is one that another caller was given",
            "cache no answer: each belongs to one offer. Next.js: export const dynamic = 'force-dynamic' and "
            "fetch(…, { cache: 'no-store' }); take the POST out of a proxy's or CDN's cache, and look for a "
            "module-level variable or a memoized function",
        ),
        "nothing-arrived": Cause(
            "the relay's offers never reached this fake: it points to another upstream",
            "set OPENAI_BASE_URL in the relay's own environment to the fake's address with /v1, restart it, "
            "and see that no code has https://api.openai.com fixed in it (base_url/baseURL of the client)",
            in_time=True,
        ),
    },
)
def offer_reaches_upstream(timeline: Timeline) -> Finding:
    """Of what reached the fake, one request is a POST of SDP or of a form to the endpoint for calls."""
    offer = offer_exchange(timeline)
    if offer is None or offer.ended_at is None:
        return NotApplicable("the relay did not answer, which signaling.offer-accepted tells of")
    if started(timeline).mode == "black-box":
        return _by_its_words(offer)
    found = offers_arrived(timeline)
    if not found:
        return _nothing_arrived(timeline, offer)
    amiss = [_amiss(arrival) for arrival in found]
    if any(each is None for each in amiss):
        return None
    cause, seen = amiss[-1] or ("", "")
    # A request without the offer's name is this call's by its time alone.
    by_time = " (told by its time: nothing in it names the call)" if found[-1].tie == "time" else ""
    proof = [*offer.evidence(), *map(evidence, found)]
    return Violation(cause, f"{seen}{by_time}", tuple(sorted(proof, key=lambda e: e.at or 0.0)))


def _amiss(arrival: RequestArrived) -> tuple[str, str] | None:
    """The cause and what shows it; None where the request can be read, or others judge it."""
    path = urlsplit(arrival.url).path
    shown = f"{arrival.method} {arrival.url}"
    if "/v1/v1" in path:
        return "path-doubled", shown
    if CALLS_PATH.search(path) and arrival.status != 404:
        return ("wrong-method", shown) if arrival.method != "POST" else _amiss_in_body(arrival)
    if RETIRED_PATHS.search(path):
        return "retired-endpoint", f"{shown} was answered {_answer(arrival)}"
    if PATH_WITHOUT_V1.search(path):
        return "path-without-v1", shown
    # The 404 of a path that is right is a model's or a call's.
    is_unknown = not CALLS_PATH.search(path) or arrival.message.startswith("Invalid URL")
    return ("path-unknown", f"{shown} was answered {_answer(arrival)}") if is_unknown else None


def _unknown(method: str, url: str) -> RequestArrived:
    """A request as OpenAI's own 404 quotes it."""
    return RequestArrived(at=0.0, id="", method=method, url=url, status=404, message="Invalid URL")


def _answer(arrival: RequestArrived) -> str:
    return f"{arrival.status or 'not at all'} {arrival.code}".rstrip()


def _amiss_in_body(arrival: RequestArrived) -> tuple[str, str] | None:
    kind = arrival.content_type.partition(";")[0].strip().lower()
    sdp = next((p for p in arrival.parts if p.name == "sdp"), None)
    text = start_of_offer(arrival).strip()
    where = "the part sdp" if sdp else f"the body ({kind or 'no Content-Type'})"
    whole = size_of_offer(arrival)
    is_form = kind == "multipart/form-data"
    if kind == "application/x-www-form-urlencoded":
        return "form-urlencoded", f"{where} reads {excerpt(text, 60)}"
    if OBJECT.search(text):
        return "object-as-text", f"{where} reads {excerpt(text, 60)}"
    if is_form and sdp is None:
        # A form with other parts, or with another boundary, is signaling.session-forwarded's.
        empty = not arrival.parts and (not text or re.fullmatch(r"--\S+--", text))
        return ("offer-empty", f"a form without parts, {whole} bytes") if empty else None
    if whole <= len("undefined") and text.strip("\"'") in NOTHING:
        empty = not text
        what = f"{where} is empty" if empty else f"{where} reads {excerpt(text)}"
        return "offer-empty" if empty else "offer-undefined", what
    if text.startswith("{") and isinstance(as_json(text) or {}, dict):
        return "json-instead-of-sdp", f"{where} reads {excerpt(text, 60)}"
    if not is_form and text.startswith("--") and "form-data" in text.lower():
        return (
            "form-sent-as-text",
            f"Content-Type {arrival.content_type or 'missing'}, and a form in the body",
        )
    if not is_form and kind != "application/sdp":
        return "wrong-content-type", f"Content-Type {arrival.content_type or 'missing'}"
    return None


def _nothing_arrived(timeline: Timeline, offer: Exchange) -> Finding:
    asked = was_asked(timeline)
    if asked is None:
        return NotApplicable("the fake was not asked what had arrived")
    taken = timeline.first(RequestArrived, side="upstream", where=lambda e: e.tie == "answer")
    if taken is not None and offer.succeeded:
        when = f"{taken.before:.1f} s before this call" if taken.before else f"at {taken.at:.3f} s"
        seen = f"it was made {when}, for the offer {taken.ufrag or '(without a name)'}"
        return Violation("cached-answer", seen, (*offer.evidence(), evidence(taken)))
    # An offer with another name is a gateway's own, if it was made for this call and not before it.
    made = [e for e in strays(timeline) if e.ufrag and not e.before and e.at >= offer.request.at - 0.1]
    if arrivals(timeline) or made or any(e.method == "WEBSOCKET" for e in strays(timeline)):
        return NotApplicable("the relay has a conversation of its own with the upstream")
    if not _speaks_of_upstream(offer):
        return NotApplicable("the relay sent nothing upstream")
    seen = (
        f"of {asked.requests} requests that reached {asked.base} during the call none was of this offer, and "
        f"yet the relay answered {offer.status}: {excerpt(offer.body, 80)}; give it "
        f"OPENAI_BASE_URL={asked.base}/v1"
    )
    return Violation("nothing-arrived", seen, (*offer.evidence(), *map(evidence, strays(timeline))))


def _speaks_of_upstream(offer: Exchange) -> bool:
    """Whether the relay's answer can only come from an upstream, or tells of one that failed."""
    if offer.response is None:
        return False
    if offer.succeeded:
        return "v=0" in offer.body and "m=audio" in offer.body
    if cause_in_front(offer.response):
        return False
    if SAYS_UPSTREAM_FAILED.search(offer.body):
        return True
    return offer.response.status in GATEWAY_FAILURES and not is_html(offer.response)


def _by_its_words(offer: Exchange) -> Finding:
    """What a black box's relay passes on of OpenAI's refusal."""
    if offer.response is None or (offer.succeeded and error_of(offer.body) is None):
        return NotApplicable("what reaches the upstream is seen with --fake-openai only")
    body = offer.body.replace('\\"', '"')
    cause, words = "", ""
    if "beta_api_shape_disabled" in body:
        cause, words = "retired-endpoint", "beta_api_shape_disabled"
    elif found := INVALID_URL.search(body):
        words = found.group()
        named = _amiss(_unknown(found[1], found[2]))
        cause = named[0] if named else ""
    elif found := UNSUPPORTED_TYPE.search(body):
        words = found.group()
        urlencoded = media_type((("content-type", found[1]),)) == "application/x-www-form-urlencoded"
        cause = "form-urlencoded" if urlencoded else "wrong-content-type"
    elif found := UNPARSABLE.search(body):
        words, text = found.group(), found[1]
        cause = (
            "object-as-text"
            if OBJECT.search(text)
            else "offer-undefined"
            if text in NOTHING
            else "json-instead-of-sdp"
            if text.startswith("{")
            else "form-sent-as-text"
            if text.startswith("--")
            else ""
        )
    if not cause:
        return NotApplicable("what reaches the upstream is seen with --fake-openai only")
    return Violation(
        cause, f"the relay answered {offer.status}, and its body says {words!r}", offer.evidence()
    )
