"""What the page does with its offer: it makes one, and sends it as its browser wrote it."""

from __future__ import annotations

from harness.core.events import (
    ConnectionUsed,
    HttpRequest,
    MicrophoneGiven,
    OfferCreated,
    PageErred,
)
from harness.core.probes import OFFER
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.health import blocked_by_browser
from harness.requirements.page.microphone import PATIENCE, took_long
from harness.requirements.page.seen import MAY_OFFER, OFFERING, PAGE, STARTED, WEBRTC, uses
from harness.requirements.registry import requirement


@requirement(
    "page.offer-sent",
    "The page sends its offer",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=Source(
        "OpenAI Realtime guide, WebRTC",
        "The page posts the offer's SDP to its backend, and gives the answer to setRemoteDescription.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    needs=("page.stays", "page.asks-for-microphone", "page.does-not-wait-for-gathering"),
    when=(PAGE, STARTED, MAY_OFFER),
    causes={
        "not-made": Cause(
            "the page has the microphone, and makes no offer",
            "after getUserMedia call createOffer() and setLocalDescription(offer); look at the console, and "
            "for a promise whose failure is caught and shown to nobody. A page that talks over a WebSocket "
            "makes none: give harness doctor its address, ws://… or wss://…",
        ),
        "not-sent": Cause(
            "the page made an offer and sent it to nobody",
            "post offer.sdp to the relay after setLocalDescription(offer), and look at the console for what "
            "stopped the page before",
        ),
        "blocked-by-browser": Cause(
            "the browser let the page's request not pass",
            "serve page and relay on one origin, or let the relay answer the preflight and its POST with "
            "Access-Control-Allow-Origin; look at the page's Content-Security-Policy (connect-src), too",
        ),
    },
)
def offer_sent(timeline: Timeline) -> Finding:
    """A request carries the offer, and the browser lets it pass."""
    sent = timeline.first(HttpRequest, where=lambda e: e.purpose == OFFER)
    if (blocked := blocked_by_browser(timeline)) is not None and sent is not None:
        said = [
            Evidence(e.at, e.message) for e in timeline.all(PageErred, where=lambda e: e.source == "console")
        ]
        evidence = (
            Evidence(sent.at, f"{sent.method} {sent.url}"),
            Evidence(blocked.at, blocked.detail),
            *said[:2],
        )
        return Violation("blocked-by-browser", said[0].text if said else blocked.detail, evidence)
    if sent is not None:
        return None
    errors = tuple(Evidence(e.at, f"{e.source}: {e.message}") for e in timeline.all(PageErred)[:3])
    described = timeline.first(
        ConnectionUsed, where=lambda e: e.method == "setLocalDescription" and not e.error
    )
    if described is None:
        return _not_made(timeline, errors)
    waited = last_moment(timeline) - described.at
    if waited < PATIENCE:
        return Inconclusive(f"the call was given up {waited:.1f} s after the offer was made")
    seen = f"{waited:.1f} s after setLocalDescription"
    return Violation("not-sent", seen, (Evidence(described.at, described.method), *errors))


def _not_made(timeline: Timeline, errors: tuple[Evidence, ...]) -> Finding:
    given = timeline.last(MicrophoneGiven)
    assert given is not None  # noqa: S101  (else the requirement does not apply)
    if took_long(timeline):
        return NotApplicable("the microphone was slow, which page.waits-for-microphone tells of")
    waited = last_moment(timeline) - given.at
    if waited < PATIENCE:
        return Inconclusive(f"the call was given up {waited:.1f} s after the page was given the microphone")
    calls = timeline.all(ConnectionUsed, where=lambda e: e.at < given.at + PATIENCE)
    last = (
        f"the last that it did with its connection: {calls[-1].method}" if calls else "it made no connection"
    )
    said = (Evidence(e.at, f"{e.method}: {e.error}") for e in calls if e.error)
    seen = f"{waited:.1f} s after it had the microphone; {last}"
    return Violation("not-made", seen, (Evidence(given.at, "the page has the microphone"), *said, *errors))


@requirement(
    "page.offer-unchanged",
    "The page sends the offer as its browser wrote it",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    stage=CallStage.OFFER,
    source=Source(
        "WebRTC, section 4.4.1.8",
        "A description is the browser's; what is changed in it by hand is the page's own risk.",
        WEBRTC,
    ),
    needs=("page.one-connection", "page.offer-sent"),
    when=(PAGE, OFFERING),
    causes={
        "offer-trimmed": Cause(
            "the page cut whitespace or line ends off the offer",
            "send offer.sdp as it is: remove trim() and replace(); SDP ends every line with CRLF (RFC 8866, "
            "section 5), the last one too",
            level=Level.MUST,
            because=Because.CALLER,
        ),
        "offer-rewritten": Cause(
            "the page rewrites lines of the offer",
            "leave it as it is, and use setCodecPreferences() or setParameters() for what is wanted",
        ),
    },
)
def offer_unchanged(timeline: Timeline) -> Finding:
    """What was sent is what createOffer() gave, or localDescription held."""
    sent = timeline.first(OfferCreated)
    known = [e.sdp for e in uses(timeline, "createOffer", "localDescription") if e.sdp]
    if sent is None or not known or sent.sdp in known:
        return None
    own = next((sdp for sdp in known if _lines(sdp) == _lines(sent.sdp)), None)
    if own is not None:
        seen = f"{len(own)} characters were {len(sent.sdp)} when they were sent"
        return Violation("offer-trimmed", seen, (Evidence(sent.at, f"ending {sent.sdp[-12:]!r}"),))
    ours = set(_lines(sent.sdp))
    missing = [line for line in _lines(known[0]) if line not in ours]
    seen = f"{len(missing)} lines are gone or changed" if missing else "lines were added"
    return Violation(
        "offer-rewritten", seen, tuple(Evidence(sent.at, f"gone: {line}") for line in missing[:5])
    )


def _lines(sdp: str) -> list[str]:
    return [line.strip() for line in sdp.splitlines() if line.strip()]
