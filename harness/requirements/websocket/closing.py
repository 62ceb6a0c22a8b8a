"""A WebSocket that ends tells why."""

from __future__ import annotations

from harness.core.events import SocketClosed
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
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
from harness.requirements.websocket.opening import OPEN, RFC_6455

NO_CODE = (1005, 1006)
OF_THE_RELAY = (1011, 1012, 1013, 1014)  # codes with which a relay says that its upstream is gone


def _not_theirs(timeline: Timeline) -> NotApplicable | None:
    ended = timeline.first(SocketClosed, where=lambda e: e.by != "caller")
    return None if ended else NotApplicable("the caller closed it")


@requirement(
    "websocket.close-told",
    "The end of a WebSocket is told with its code",
    stage=CallStage.CHANNEL,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="every caller whose call is ended by the other side",
    severity=Severity.NORMAL,
    source=Source(
        "RFC 6455, sections 5.5.1 and 7.4",
        "A Close frame says why; without one a page sees 1006 and cannot tell an ended session from a lost "
        "network.",
        RFC_6455 + "#section-7.4",
    ),
    needs=("websocket.session-begins",),
    when=(OPEN, Condition("the relay's side ended it", _not_theirs)),
    also_in=("lifecycle",),
    causes={
        "no-close-frame": Cause(
            "the connection was cut without a Close frame",
            "close with a code when OpenAI's side ends, and when the relay stops: a page that sees 1006 "
            "offers "
            "to reconnect where the session is over",
        ),
        "frames-invalid": Cause(
            "the relay's frames break the protocol",
            "write frames with a WebSocket library and nothing between it and the socket; a proxy that "
            "compresses "
            "or splits them is the usual reason",
            level=Level.MUST,
            because=Because.CLAUSE,
        ),
        "close-code-lost": Cause(
            "the upstream closed with a code, and the caller was told another",
            "pass the code and reason of OpenAI's Close frame on (1000 says that all is well), and 1011 "
            "where it "
            "has none that may be sent",
        ),
    },
)
def close_told(timeline: Timeline) -> Finding:
    """A Close frame came, well formed, with the upstream's code where that is seen."""
    ended = timeline.first(SocketClosed, where=lambda e: e.by != "caller")
    if ended is None:
        return None
    quote = Evidence(ended.at, f"closed by {ended.by}: {ended.code} {ended.reason}".rstrip())
    if ended.problem:
        return Violation("frames-invalid", ended.problem, (quote,))
    if ended.by == "nobody":
        return Violation("no-close-frame", "the page sees 1006", (quote,))
    theirs = timeline.first(SocketClosed, side="upstream", where=lambda e: e.by == "upstream")
    if theirs is None or theirs.code in (ended.code, *NO_CODE) or ended.code in OF_THE_RELAY:
        return None
    told = Evidence(theirs.at, f"the upstream closed with {theirs.code} {theirs.reason}".rstrip())
    return Violation("close-code-lost", f"{theirs.code} became {ended.code}", (told, quote))
