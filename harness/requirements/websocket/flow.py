"""The relay keeps up with the caller, and keeps the connection alive."""

from __future__ import annotations

from harness.core.events import SocketMeasured
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import limit_of
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

SOON = 3.0  # seconds that a pong may be on its way at the end


def _not_measured(timeline: Timeline) -> NotApplicable | None:
    return None if timeline.last(SocketMeasured) else NotApplicable("the WebSocket was not open long enough")


MEASURED = Condition("the WebSocket was watched to its end", _not_measured)


def _no_ping_was_sent(timeline: Timeline) -> NotApplicable | None:
    measured = timeline.last(SocketMeasured)
    if measured is None or not measured.pings_sent:
        return NotApplicable("the call was over before a ping was sent")
    return None


PINGED = Condition("we sent a ping", _no_ping_was_sent)


@requirement(
    "websocket.takes-audio",
    "The relay takes the caller's audio as fast as it comes",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 6455, section 5.5.3; RFC 9293, section 3.8.6",
        "A pong comes after all that was sent before its ping; what is not read waits in the sender.",
        RFC_6455 + "#section-5.5.3",
    ),
    needs=("websocket.session-begins",),
    when=(OPEN, PINGED),
    also_in=("connectivity",),
    causes={
        "reads-behind": Cause(
            "the relay reads behind what the caller says, so that all is heard late",
            "do less for each message of audio (no log, no database, no await on something slow), and look "
            "at "
            "what holds the relay's event loop; where OpenAI's side does not drain, drop audio rather than "
            "queue it",
            in_time=True,
        )
    },
)
def takes_audio(timeline: Timeline) -> Finding:
    """The pong to our ping, which waits behind the audio, comes within `pong_s`."""
    measured = timeline.last(SocketMeasured)
    allowed = limit_of(timeline, "pong_s")
    if measured is None or not measured.pongs or (measured.pong_ms or 0.0) <= 1000 * allowed:
        return None
    seen = f"a pong was waited for {(measured.pong_ms or 0.0) / 1000:.1f} s, {allowed:g} s allowed"
    waiting = f"{measured.most_waiting} bytes waited at most, {measured.sent} messages were sent"
    return Violation("reads-behind", seen, (Evidence(measured.at, waiting),))


@requirement(
    "websocket.answers-pings",
    "Pings are answered",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.MINOR,
    source=Source(
        "RFC 6455, section 5.5.2",
        "Upon receipt of a Ping frame, an endpoint must send a Pong frame in response.",
        RFC_6455 + "#section-5.5.2",
    ),
    needs=("websocket.session-begins",),
    when=(OPEN, PINGED),
    also_in=("connectivity",),
    causes={
        "ping-unanswered": Cause(
            "the relay does not answer a ping",
            "leave control frames to the WebSocket library, and read from the caller's connection all the "
            "time",
            in_time=True,
        )
    },
)
def answers_pings(timeline: Timeline) -> Finding:
    """A pong came for our ping."""
    measured = timeline.last(SocketMeasured)
    opened = timeline.state("channel", "open")
    if measured is None or opened is None or measured.pongs:
        return None
    watched = measured.at - opened.at
    if watched < 1.0 + SOON:
        return NotApplicable(f"the call was over {watched:.1f} s after it began")
    seen = f"sent 1 s into the call, which lasted {watched:.1f} s"
    return Violation("ping-unanswered", seen, (Evidence(measured.at, "no pong until the end"),))


def _too_short(timeline: Timeline) -> NotApplicable | None:
    measured, opened = timeline.last(SocketMeasured), timeline.state("channel", "open")
    asked = limit_of(timeline, "ping_s")
    if measured is None or opened is None or measured.at - opened.at <= asked:
        return NotApplicable(f"the call lasted less than {asked:g} s")
    return None


@requirement(
    "websocket.pings",
    "The relay pings, so that an idle connection is not cut",
    stage=CallStage.CHANNEL,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="every caller behind a proxy or NAT, who is silent for a minute",
    severity=Severity.MINOR,
    source=Source(
        "RFC 6455, section 5.5.2",
        "A Ping may serve as a keepalive. A page's WebSocket cannot send one, and proxies cut what is idle "
        "for 60 s.",
        RFC_6455 + "#section-5.5.2",
    ),
    needs=("websocket.session-begins",),
    when=(OPEN, MEASURED, Condition("the call lasted longer than `ping_s`", _too_short)),
    also_in=("connectivity",),
    causes={
        "no-ping": Cause(
            "the relay never pings the caller",
            "ping every 20 to 30 s from the relay (`ws`: ping() in a timer; uvicorn and websockets do so "
            "by default)",
        )
    },
)
def pings(timeline: Timeline) -> Finding:
    """A ping came in the first `ping_s` seconds or later."""
    measured = timeline.last(SocketMeasured)
    if measured is None or measured.pings:
        return None
    return Violation("no-ping", "none came", (Evidence(measured.at, f"{measured.received} messages came"),))
