"""The session lasts until the caller hangs up."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from harness.core.events import (
    AnswerReceived,
    CallEnded,
    CallLost,
    ReceiverReport,
    RelayRestarted,
    ServerEvent,
    StateChanged,
    StretchHeard,
)
from harness.core.fields import field, table, text
from harness.core.probes import SESSION_EXPIRED
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment, optional_limit_of
from harness.requirements.exchanges import calls_made
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import closed_by_page
from harness.requirements.registry import requirement
from harness.requirements.session.configuring import CHANNEL_OPEN


@requirement(
    "session.stays-alive",
    "The session lasts until the caller hangs up",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, WebRTC; RFC 7675, section 5.1",
        "A session lives up to 60 minutes; an end that stops answering loses consent and the call.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    needs=(
        "page.stays",
        "gateway.upstream-end-told",
        "whip.ice-restart",
        "connectivity.data-channel-opens",
        "session.large-update",
    ),
    when=(CHANNEL_OPEN,),
    causes={
        "server-error": Cause(
            "the upstream broke in mid-call",
            "report the session id to OpenAI; over a WebSocket with PCM16 from a browser this is the usual "
            "end, over WebRTC it is rare: offer the user to call again",
        ),
        "peer-gone": Cause(
            "the other end went away without a goodbye",
            "offer an ICE restart or a new call on `disconnected`; then look for a NAT binding or a load "
            "balancer that forgets UDP flows, and for a media server that died",
            in_time=True,
        ),
        "channel-closed": Cause(
            "the data channel was closed in mid-call, and media went on or stopped without a word",
            "look for who ended the call: POST /calls/{id}/hangup, a sideband client, or an oversized "
            "message",
            in_time=True,
        ),
    },
)
def stays_alive(timeline: Timeline) -> Finding:
    """No server_error, no lost transport and no closed channel before hang-up."""
    until = last_moment(timeline)
    if (closed := closed_by_page(timeline)) is not None:
        until = min(until, closed.at)  # what it closes itself, nobody closed on it
    if expiry_announced(timeline) is not None or expired_upstream(timeline) is not None:
        return NotApplicable("the session expired; see lifecycle.session-expiry")
    if timeline.first(CallLost) is not None:
        return NotApplicable("the call was ended on purpose; see lifecycle.comes-back")
    if timeline.first(RelayRestarted) is not None:
        return NotApplicable("the relay was restarted; see lifecycle.relay-restart-survived")
    for event in timeline.server_events("error", before=until):
        error = table(event.event, "error")
        if "server_error" in (text(error, "type"), text(error, "code")):
            said = text(error, "message") or str(error)
            return Violation("server-error", said, (Evidence(event.at, f"error {error}"),))
    end = call_ended(timeline, until)
    longest = optional_limit_of(timeline, "longest_call_s")
    answer = timeline.first(AnswerReceived)
    if end is not None and longest is not None and answer is not None and end.at - answer.at >= longest:
        return NotApplicable("the target ended it at its time limit; see lifecycle.time-limit-kept")
    if end is None:
        return _left_upstream(timeline, until) or _fell_silent(timeline, until)
    # DTLS and SCTP say goodbye; ICE that is lost, or a handshake that fails again, means that nobody did.
    goodbye = end.layer == "channel" or end.state == "closed"
    seen = f"{end.layer} {end.state} at {end.at:.3f} s, {until - end.at:.1f} s before the caller hung up"
    evidence = (Evidence(end.at, f"{end.layer} {end.state} {end.detail}".rstrip()),)
    return Violation("channel-closed" if goodbye else "peer-gone", seen, evidence)


NOTICEABLE = 2.0  # seconds within which a goodbye arrives
LONGEST_PACE = 5.0  # seconds between reports (RFC 3550, section 6.2)
SILENT_REPORTS = 3  # so many reports missing are no accident
SHORTEST_SILENCE = 8.0  # seconds

ENDS = {
    "ice": ("disconnected", "failed"),
    "dtls": ("failed", "closed"),
    "channel": ("closing", "closed"),
}


def call_ended(timeline: Timeline, until: float) -> StateChanged | None:
    """The first state before a moment that tells the caller of the call's end."""
    opened = timeline.state("channel", "open")
    return timeline.first(
        StateChanged,
        after=opened.at if opened else 0.0,
        before=until,
        where=lambda e: e.state in ENDS.get(e.layer, ()),
    )


def _left_upstream(timeline: Timeline, until: float) -> Violation | None:
    """The upstream's own record ends long before the hang-up, and nothing told the caller."""
    made = [e for e in calls_made(timeline) if e.succeeded]
    ends = timeline.all(CallEnded, side="upstream", before=until - NOTICEABLE)
    if not made or len(ends) < len(made):
        return None
    left = ends[-1]
    seen = (
        f"the upstream's end was at {left.at:.3f} s, and nothing told the caller in {until - left.at:.1f} s"
    )
    return Violation("peer-gone", seen, (Evidence(left.at, f"ended upstream: {left.reason}"),))


def _fell_silent(timeline: Timeline, until: float) -> Violation | None:
    """The other end had sent RTCP, and then sent nothing of any kind until the hang-up."""
    reports = [e.at for e in timeline.all(ReceiverReport, before=until)]
    if not reports:
        return None
    pace = median([b - a for a, b in pairwise(reports)] or [LONGEST_PACE])
    signs = [*reports, *(e.at for e in timeline.server_events(before=until))]
    signs += [p.at for p in timeline.packets() if p.at < until]
    signs += [min(s.until, until) for s in timeline.all(StretchHeard, before=until)]
    quiet = until - max(signs)
    if quiet <= max(SILENT_REPORTS * pace, SHORTEST_SILENCE):
        return None
    seen = f"nothing came for {quiet:.1f} s before the hang-up, where RTCP was due every {pace:.1f} s"
    return Violation("peer-gone", seen, (Evidence(max(signs), "the last sign of life"),))


def expiry_announced(timeline: Timeline) -> ServerEvent | None:
    """The error with which the session's end by age is told."""
    errors = timeline.server_events("error")
    return next((e for e in errors if field(e.event, "error", "code") == "session_expired"), None)


def expired_upstream(timeline: Timeline) -> CallEnded | None:
    """The upstream's own record that it ended the call for its age."""
    return timeline.first(CallEnded, side="upstream", where=lambda e: SESSION_EXPIRED in e.reason)
