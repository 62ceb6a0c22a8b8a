"""Calls end when they should, and everywhere."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import AnswerReceived, CallEnded, CallLost, NetworkImpaired, WaitExpired
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import PASSED_ON, PLACED, asked, hang_up_at, last_moment, limit_of
from harness.requirements.exchanges import calls_made, exchanges
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import closed_by_page
from harness.requirements.registry import requirement
from harness.requirements.session.lasting import expired_upstream, expiry_announced

CALLS_REFERENCE = "https://platform.openai.com/docs/api-reference/realtime-calls"


def _no_call_made(timeline: Timeline) -> NotApplicable | None:
    made = [e for e in calls_made(timeline) if e.succeeded]
    return None if made else NotApplicable("the upstream made no call")


def _call_lost(timeline: Timeline) -> NotApplicable | None:
    lost = timeline.first(CallLost)
    return NotApplicable("the caller lost its call; see lifecycle.lost-call-released") if lost else None


def _closed_in_the_dark(timeline: Timeline) -> NotApplicable | None:
    closed = closed_by_page(timeline)
    if closed is None:
        return None
    changes = timeline.all(NetworkImpaired, before=closed.at)
    if changes and changes[-1].name == "blackout" and closed.at < changes[-1].at + changes[-1].seconds:
        return NotApplicable("the page closed its call while its network was gone, so nobody heard of it")
    return None


CALL_MADE = Condition("the upstream made a call", _no_call_made)
NOT_LOST = Condition("the caller hung up of its own accord", _call_lost)
HEARD = Condition("the network could carry the caller's goodbye", _closed_in_the_dark)


@requirement(
    "lifecycle.hang-up-releases-call",
    "Hanging up ends the call at the upstream",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.MONEY,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, hang up call",
        "A call is billed until it ends; the caller's hang-up closes the peer connection.",
        CALLS_REFERENCE + "/hangup-call",
    ),
    needs=(
        "page.stop-releases",
        "connectivity.dtls-connects",
        "signaling.one-call-per-offer",
        "websocket.takes-audio",
        "whip.delete-ends-call",
    ),
    when=(PLACED, PASSED_ON, CALL_MADE, NOT_LOST, HEARD),
    causes={
        "call-leaked": Cause(
            "the caller hung up, and the call lived on at the upstream, where it is billed",
            "close the peer connection on hang-up, pagehide and errors, and let the relay send POST "
            "/v1/realtime/calls/{call_id}/hangup when its client goes (the id is in Location)",
            in_time=True,
        )
    },
)
def hang_up_releases_call(timeline: Timeline) -> Finding:
    """The upstream's end of the call is within `release_s` of the hang-up."""
    hung_up = hang_up_at(timeline)
    if hung_up == float("inf"):
        return Inconclusive("the record ends before the hang-up")
    return _leak(timeline, hung_up, "the hang-up")


@requirement(
    "lifecycle.abandoned-offer-released",
    "A caller that goes away before connecting leaves no call behind",
    stage=CallStage.HANG_UP,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="every caller who leaves before the answer",
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, hang up call; RFC 9110, section 7.6",
        "A call that was made for a client that is gone still lives, until somebody ends it.",
        CALLS_REFERENCE + "/hangup-call",
    ),
    when=(
        asked(probes.ABANDONED_OFFER, "an offer was sent by a caller that went away"),
        PASSED_ON,
        CALL_MADE,
    ),
    causes={
        "call-leaked": Cause(
            "the caller went away before connecting, and the call lived on at the upstream",
            "watch for the client's disconnect while the upstream answers (request.signal in Next.js, "
            "request.is_disconnected in Starlette) and send POST /v1/realtime/calls/{call_id}/hangup",
            in_time=True,
        ),
        "hang-up-refused": Cause(
            "the relay asked for the call to be ended, and OpenAI refused",
            "send the hang-up with the very key that made the call (not another project's, nor an ephemeral "
            "one) and with the id of the answer's Location",
        ),
    },
)
def abandoned_offer_released(timeline: Timeline) -> Finding:
    """The upstream's end of the call is within `release_s` of the caller's leaving."""
    offer = exchanges(timeline, probes.ABANDONED_OFFER)[0]
    left = offer.ended_at if offer.ended_at is not None else last_moment(timeline)
    made = [e.ended_at for e in calls_made(timeline) if e.succeeded and e.ended_at is not None]
    return _leak(timeline, max(left, *made), "the caller had gone", relays=True)


def _leak(timeline: Timeline, since: float, what: str, *, relays: bool = False) -> Finding:
    """`relays`: it is the relay's part to end the call."""
    allowed = limit_of(timeline, "release_s")
    made = [e for e in calls_made(timeline) if e.succeeded]
    # An attempt that the upstream refused has an end of its own, before the call was made.
    ends = timeline.all(CallEnded, side="upstream", after=made[0].ended_at or made[0].request.at)
    quotes = (Evidence(since, what), *(Evidence(e.at, f"ended upstream: {e.reason}") for e in ends))
    if len(ends) >= len(made):
        late = max(e.at for e in ends) - since
        if late <= allowed:
            return None
        return Violation("call-leaked", f"{late:.1f} s after {what}, {allowed:g} s allowed", quotes)
    refused = [e for e in exchanges(timeline, probes.HANG_UP, side="upstream") if (e.status or 0) >= 400]
    if refused and relays:
        evidence = (*quotes, *refused[-1].evidence())
        return Violation(
            "hang-up-refused", f"answered {refused[-1].status}, still live after {what}", evidence
        )
    expired = timeline.last(WaitExpired, where=lambda e: e.what == probes.RELEASE)
    waited = f"{expired.within:g} s after {what}" if expired else f"when the fake was last asked after {what}"
    return Violation("call-leaked", f"still live {waited}", quotes)


def _not_expired(timeline: Timeline) -> NotApplicable | None:
    if expired_upstream(timeline) is None and expiry_announced(timeline) is None:
        return NotApplicable("the session did not expire")
    return None


@requirement(
    "lifecycle.session-expiry",
    "The end of a session by age is announced",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller whose session reaches its greatest age",
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI Realtime guide, session lifecycle",
        "A session lasts 60 minutes at most; its end is told by an error session_expired.",
        "https://platform.openai.com/docs/guides/realtime-conversations#session-lifecycle-events",
    ),
    needs=("connectivity.data-channel-opens",),
    when=(Condition("the session expired", _not_expired),),
    causes={
        "expiry-unannounced": Cause(
            "the session ended by its age, and the caller was not told",
            "let the error session_expired pass to the caller before the channel closes, and let the page "
            "offer a new call on it",
        )
    },
)
def session_expiry(timeline: Timeline) -> Finding:
    """The error session_expired reaches the caller."""
    ended = expired_upstream(timeline)
    if ended is None or expiry_announced(timeline) is not None:
        return None
    answer = timeline.first(AnswerReceived)
    age = f"{ended.at - answer.at:.1f} s after the answer" if answer else f"at {ended.at:.1f} s"
    return Violation(
        "expiry-unannounced", f"it ended {age}", (Evidence(ended.at, f"upstream: {ended.reason}"),)
    )
