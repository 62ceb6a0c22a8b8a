"""How a session ends: by whom, whether the call does, and what is said of it then."""

from __future__ import annotations

from harness.core.events import CallEnded, StateChanged
from harness.core.probes import WHIP_END, WHIP_STRANGER
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import limit_of
from harness.requirements.exchanges import Exchange, exchanges
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
from harness.requirements.whip.asking import MADE, asked_of, made_by, rfc, session_of, told, was_asked

GONE = (404, 410)


@requirement(
    "whip.session-guarded",
    "Only who made a session can end it",
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller, by whoever guesses a number",
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=rfc(
        "4.7.1 and 5",
        "A token goes with each request, or is part of the URL; URLs that are easy to guess let anyone end "
        "all sessions.",
    ),
    needs=("whip.session-location",),
    when=(MADE,),
    causes={
        "ended-by-anyone": Cause(
            "a session whose URL is easy to guess was ended without credentials",
            "ask for the caller's token at the session as at the endpoint, and name sessions by a random "
            "UUID or longer",
        ),
        "ended-by-url-alone": Cause(
            "a session was ended without credentials by its URL alone",
            "ask for the caller's token at the session, too: URLs stand in logs and in proxies' caches; that "
            "nobody can guess this one is all that guards it",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
        "existence-told": Cause(
            "whoever has no credentials is told which sessions there are",
            "look for credentials before looking for the session, and answer 401 (or 404) to both",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
        "session-guessable": Cause(
            "the session's URL is easy to guess",
            "name sessions by what a secure random generator makes, such as a UUID, rather than by a counter "
            "or a time",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def session_guarded(timeline: Timeline) -> Finding:
    """A DELETE without credentials is refused, and alike whether there is such a session or not."""
    session = session_of(timeline)
    assert session is not None  # noqa: S101  (the condition MADE)
    live, unknown = (asked_of(timeline, WHIP_STRANGER, case) for case in ("live", "unknown"))
    seen = made_by(session)
    if live is not None and live.succeeded:
        cause = "ended-by-anyone" if session.guessable else "ended-by-url-alone"
        return Violation(cause, told(live), (*seen, *live.evidence()))
    statuses = {each.status for each in (live, unknown) if each is not None}
    if live is not None and unknown is not None and len(statuses) > 1 and None not in statuses:
        text = f"{told(live)} for one that lives, {told(unknown)} for one that does not"
        return Violation("existence-told", text, (*live.evidence(), *unknown.evidence()))
    if session.guessable:
        return Violation("session-guessable", session.location, seen)
    return None


def _ended_otherwise(timeline: Timeline) -> NotApplicable | None:
    stranger = asked_of(timeline, WHIP_STRANGER, "live")
    if stranger is not None and stranger.succeeded:
        return NotApplicable("the session was ended without credentials; see whip.session-guarded")
    return None if _ends(timeline) else NotApplicable("no session was ended by DELETE")


def _ends(timeline: Timeline) -> list[Exchange]:
    """Those that end a session which may live."""
    return [e for e in exchanges(timeline, WHIP_END) if e.request.case in ("", "held")]


@requirement(
    "whip.delete-ends-call",
    "DELETE at the session ends the call",
    level=Level.MUST,
    because=Because.MONEY,
    hits="every caller whose page ends its calls by DELETE",
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=rfc(
        "4.2", "Upon DELETE the session is removed and its resources freed, ending its ICE and DTLS sessions."
    ),
    needs=("whip.session-location", "whip.ice-restart"),
    when=(Condition("the call's session was ended by DELETE", _ended_otherwise),),
    causes={
        "delete-refused": Cause(
            "a DELETE at the session's own URL was refused or not answered",
            "route DELETE of the Location that you send, keep sessions where every process and instance "
            "finds them, and answer 200 or 204",
        ),
        "delete-ends-nothing": Cause(
            "the session answered DELETE with success, and the call went on",
            "send POST /v1/realtime/calls/{call_id}/hangup with the key that made the call (the id is in the "
            "upstream's Location) before answering; else the call is billed until its caller's network goes",
            in_time=True,
        ),
    },
)
def delete_ends_call(timeline: Timeline) -> Finding:
    """2xx; and where nothing else was done to end the call, an end at the upstream or of our connection."""
    for exchange in _ends(timeline):
        held = exchange.request.case == "held"
        is_over = exchange.status in GONE and not held  # as after a call that was lost
        if exchange.ended_at is None or is_over:
            continue
        if not exchange.succeeded:
            return Violation("delete-refused", told(exchange), exchange.evidence())
        if held and (went_on := _went_on(timeline, exchange)) is not None:
            return went_on
    return None


def _went_on(timeline: Timeline, exchange: Exchange) -> Violation | None:
    """By the upstream where it is seen, else by our own connection."""
    allowed = limit_of(timeline, "release_s")
    since = exchange.request.at
    upstream = [e.at for e in timeline.all(CallEnded, side="upstream") if e.at >= since]
    ours = [e.at for e in timeline.all(StateChanged) if e.at >= since and e.state in ("failed", "closed")]
    ended = upstream if any(e.side == "upstream" for e in timeline) else ours
    if ended and min(ended) <= (exchange.ended_at or since) + allowed:
        return None
    where = "at the upstream" if ended is upstream else "of the connection"
    seen = f"no end {where} within {allowed:g} s, while the caller held the line"
    quotes = [Evidence(at, f"an end {where}, once the caller hung up otherwise") for at in ended[:1]]
    return Violation("delete-ends-nothing", seen, (*exchange.evidence(), *quotes))


@requirement(
    "whip.ended-session",
    "A session that is over, or never was, is answered as not there",
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever hangs up twice",
    severity=Severity.MINOR,
    stage=CallStage.HANG_UP,
    source=Source(
        "RFC 9110, sections 15.5.5 and 9.3.5",
        "404 says that there is no such resource; RFC 9725 leaves to HTTP what a session is that has ended.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5",
    ),
    needs=("whip.delete-ends-call",),
    when=(was_asked(WHIP_END, "over", "unknown"),),
    causes={
        "gone-session-accepted": Cause(
            "the target answered DELETE of a session that is not there with success",
            "answer 404 or 410: else a client whose Location was wrong never learns that its call goes on",
        ),
        "gone-session-crash": Cause(
            "the target failed on DELETE of a session that is not there",
            "look the session up before using it, and answer 404",
        ),
    },
)
def ended_session(timeline: Timeline) -> Finding:
    """Once more the one that was just ended, and one of a made-up name."""
    for case in ("unknown", "over"):
        exchange = asked_of(timeline, WHIP_END, case)
        if exchange is None or exchange.ended_at is None:
            continue
        # To end what has just ended may succeed: DELETE is idempotent (RFC 9110, section 9.2.2).
        if exchange.succeeded and case == "unknown":
            return Violation("gone-session-accepted", f"{case}: {told(exchange)}", exchange.evidence())
        if exchange.status is None or exchange.status >= 500:
            return Violation("gone-session-crash", f"{case}: {told(exchange)}", exchange.evidence())
    return None
