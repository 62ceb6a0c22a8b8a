"""How an offer is answered that makes a session: the status, and what its headers say."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED
from harness.requirements.exchanges import Exchange, header, offer_exchange
from harness.requirements.model import (
    Because,
    Cause,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.whip.asking import MADE, made_by, rfc, session_of

CREATED = 201
_LINK = re.compile(r"<([^>]*)>([^<]*)")
_ICE_SERVER = re.compile(r";\s*rel\s*=\s*\"?[^\";]*\bice-server\b", re.IGNORECASE)
_USERNAME, _CREDENTIAL = (
    re.compile(rf";\s*{name}\s*=\s*\"?[^\";\s]", re.IGNORECASE) for name in ("username", "credential")
)


@requirement(
    "whip.created",
    "An offer that made a session is answered 201",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every WHIP client that looks at the status",
    severity=Severity.NORMAL,
    stage=CallStage.ANSWER,
    source=rfc("4.2", "The endpoint returns 201 Created, the SDP answer as the body, and a Location."),
    needs=("signaling.offer-accepted", "signaling.answer-is-sdp"),
    when=(OFFERED, MADE),
    causes={
        "not-201": Cause(
            "the offer was answered with another success than 201",
            "set the status 201 beside the body: frameworks answer 200 where none is set",
        )
    },
)
def created(timeline: Timeline) -> Finding:
    """The status of the response that has the answer."""
    exchange = offer_exchange(timeline)
    if exchange is None or exchange.status is None or exchange.status == CREATED:
        return None
    return Violation("not-201", f"status {exchange.status}", exchange.evidence())


@requirement(
    "whip.session-location",
    "The answer says where its session is",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every caller: none can end the call by HTTP",
    severity=Severity.CRITICAL,
    stage=CallStage.ANSWER,
    source=rfc("4.2", "A Location header field points to the newly created WHIP session, which DELETE ends."),
    needs=("signaling.offer-accepted", "signaling.answer-is-sdp"),
    when=(OFFERED, MADE),
    causes={
        "location-missing": Cause(
            "the answer has no Location",
            "make a URL for each call, keep the upstream's call id under it, and send it as Location",
        ),
        "location-not-a-url": Cause(
            "the answer's Location is no URL",
            "send an absolute URL, or a path such as /api/voice/whip/ID; look for an id that is undefined, "
            "and for an object that was printed",
        ),
        "location-is-endpoint": Cause(
            "the answer's Location is where offers go, not a session",
            "append an id of its own for each call: DELETE must know which one to end",
        ),
        "location-elsewhere": Cause(
            "the answer's Location is at another origin, where the target's credentials do not go",
            "behind a proxy, send the path alone or build the URL from X-Forwarded-Host and -Proto; if "
            "sessions do live on other hosts, say so in harness.toml: dialect = { like = "
            '"whip", session_origins = ["https://media-1.example.com"] }',
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
        "location-not-exposed": Cause(
            "a page of another origin may read the answer, and not its Location",
            "send Access-Control-Expose-Headers: Location, ETag, Link: without it response.headers.get"
            '("location") is null in a browser, and the page cannot hang up',
            because=Because.CALLER,
        ),
    },
)
def session_location(timeline: Timeline) -> Finding:
    """There, a URL (RFC 9110, section 10.2.2: it may be relative), of a resource of its own, and readable."""
    session = session_of(timeline)
    assert session is not None  # noqa: S101  (the condition MADE)
    seen = made_by(session)
    match session.problem:
        case "missing":
            return Violation("location-missing", "only the status and the body came", seen)
        case "not-a-url":
            return Violation("location-not-a-url", session.location, seen)
        case "endpoint":
            return Violation("location-is-endpoint", session.location, seen)
        case "elsewhere":
            return Violation("location-elsewhere", f"{session.location}: nothing was sent there", seen)
    exchange = offer_exchange(timeline)
    if exchange is not None and _is_hidden(exchange):
        return Violation("location-not-exposed", "Access-Control-Expose-Headers lacks it", seen)
    return None


def _is_hidden(exchange: Exchange) -> bool:
    """From a page whose origin is not the target's (Fetch, section 3.3.5)."""
    origin = header(exchange.request.headers, "origin") or ""
    parts = urlsplit(exchange.request.url)
    if exchange.response is None or origin in ("", f"{parts.scheme}://{parts.netloc}"):
        return False
    headers = exchange.response.headers
    if header(headers, "access-control-allow-origin") not in ("*", origin):
        return False
    exposed = [
        name.strip().lower()
        for key, value in headers
        if key.lower() == "access-control-expose-headers"
        for name in value.split(",")
    ]
    return "location" not in exposed and "*" not in exposed


@requirement(
    "whip.ice-servers",
    "ICE servers in Link can be used",
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="every caller who needs a relay",
    severity=Severity.NORMAL,
    stage=CallStage.ANSWER,
    source=rfc("4.6", 'Link with rel "ice-server" has a stun: or turn: URI; credentials are its attributes.'),
    needs=("signaling.offer-accepted", "signaling.answer-is-sdp"),
    when=(OFFERED, MADE),
    causes={
        "ice-server-unusable": Cause(
            "a Link with rel ice-server names no server that a client could use",
            'write it so: <turn:HOST?transport=udp>; rel="ice-server"; username="…"; credential="…", a Link '
            "for each server",
        )
    },
)
def ice_servers(timeline: Timeline) -> Finding:
    """Each has a URI of RFC 7064 or 7065, and of TURN a user and a credential."""
    exchange = offer_exchange(timeline)
    links = [
        found
        for name, value in (exchange.response.headers if exchange and exchange.response else ())
        if name.lower() == "link"
        for found in _LINK.findall(value)
        if _ICE_SERVER.search(found[1])
    ]
    if exchange is None or not links:
        return NotApplicable("the answer names no ICE servers")
    for url, attributes in links:
        if not re.match(r"(?:stun|turn)s?:[^/]", url):
            return Violation("ice-server-unusable", f"{url!r} is no URI of STUN or TURN", exchange.evidence())
        if url.startswith("turn") and not (_USERNAME.search(attributes) and _CREDENTIAL.search(attributes)):
            return Violation("ice-server-unusable", f"{url} has no user or credential", exchange.evidence())
    return None
