"""What a WebSocket must not give away: the key, and the owner's money to any page."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import HttpRequest
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked
from harness.requirements.exchanges import exchanges, header
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.websocket.opening import ASKED, RFC_6455

KEY_PROTOCOL = "openai-insecure-api-key."


@requirement(
    "websocket.key-not-in-subprotocol",
    "No secret key travels as a subprotocol",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI Realtime guide, WebSocket; best practices for API key safety",
        "`openai-insecure-api-key.` is for pages that hold a key of their own: a project's key in a page is "
        "everybody's.",
        "https://platform.openai.com/docs/guides/realtime-websocket",
    ),
    when=(ASKED,),
    also_in=("security",),
    causes={
        "page-brings-key": Cause(
            "the page has to bring a secret key as a subprotocol",
            "revoke the key now; let the relay hold it, and let the page bring a token of its user's, or an "
            "ephemeral key (ek_…)",
        ),
        "key-as-subprotocol": Cause(
            "the relay sends its key to OpenAI as a subprotocol",
            "send Authorization: Bearer … instead, as only a page cannot: subprotocols are logged by "
            "proxies and "
            "echoed by servers",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def key_not_in_subprotocol(timeline: Timeline) -> Finding:
    """Neither the caller's upgrade nor the relay's names a key that begins with sk-."""
    for side, cause in (("caller", "page-brings-key"), ("upstream", "key-as-subprotocol")):
        asked_for = [e for e in timeline.all(HttpRequest, side=None) if e.side == side]
        for request in asked_for:
            offered = header(request.headers, "sec-websocket-protocol") or ""
            if request.purpose == probes.UPGRADE and f"{KEY_PROTOCOL}sk-" in offered:
                return Violation(cause, f"{KEY_PROTOCOL}sk-…", (Evidence(request.at, offered),))
    return None


@requirement(
    "websocket.foreign-origin-refused",
    "A page of another origin cannot open a WebSocket",
    stage=CallStage.CHANNEL,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever opens a page that calls on your bill",
    severity=Severity.NORMAL,
    source=Source(
        "RFC 6455, section 10.2",
        "Servers that are not meant for any page should verify Origin: no preflight stands before a "
        "WebSocket, so "
        "with cookies a foreign page calls as the user (then it is a MUST).",
        RFC_6455 + "#section-10.2",
    ),
    when=(
        asked(probes.FOREIGN_UPGRADE, "an origin is configured, so a WebSocket was asked for from another"),
    ),
    also_in=("security",),
    causes={
        "foreign-origin-allowed": Cause(
            "the relay opens a WebSocket for a page of any origin",
            "compare Origin with a list of your own pages before the upgrade is accepted, and answer 403 "
            "to others",
        )
    },
)
def foreign_origin_refused(timeline: Timeline) -> Finding:
    """The upgrade for a page elsewhere is refused."""
    for exchange in exchanges(timeline, probes.FOREIGN_UPGRADE):
        if exchange.ended_at is None:
            return Inconclusive("the record ends before the relay answered")
        if exchange.status == 101:
            with_cookies = header(exchange.request.headers, "cookie") is not None
            seen = "status 101 for " + probes.FOREIGN_ORIGIN + (", with cookies" if with_cookies else "")
            level = Level.MUST if with_cookies else None
            return Violation("foreign-origin-allowed", seen, exchange.evidence(), level=level)
    return None
