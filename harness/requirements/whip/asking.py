"""What the timeline has of a WHIP session: how it was made, and what was asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.events import WhipSession
from harness.core.timeline import Timeline
from harness.requirements.exchanges import Exchange, exchanges
from harness.requirements.model import Condition, Evidence, NotApplicable, Source, Violation

NOT_IMPLEMENTED = 501


def rfc(section: str, says: str) -> Source:
    """A clause of RFC 9725, or several: the link leads to the first."""
    first = section.split()[0]
    return Source(
        f"RFC 9725, section {section}", says, f"https://www.rfc-editor.org/rfc/rfc9725#section-{first}"
    )


def session_of(timeline: Timeline) -> WhipSession | None:
    """What the answer to the ordinary offer says of its session."""
    return timeline.first(WhipSession)


def asked_of(timeline: Timeline, purpose: str, case: str) -> Exchange | None:
    """The request of that purpose and case, with its end."""
    return next((e for e in exchanges(timeline, purpose) if e.request.case == case), None)


def was_asked(purpose: str, *cases: str) -> Condition:
    """At least one of them was."""

    def unmet(timeline: Timeline) -> NotApplicable | None:
        if any(asked_of(timeline, purpose, case) is not None for case in cases):
            return None
        return NotApplicable(f"this call made no {purpose} request ({', '.join(cases)})")

    return Condition(f"the target speaks WHIP, and was asked: {', '.join(cases)}", unmet)


def _no_session(timeline: Timeline) -> NotApplicable | None:
    return None if session_of(timeline) else NotApplicable("the target declares no WHIP, or made no session")


MADE = Condition("the target speaks WHIP, and answered an offer", _no_session)


def made_by(session: WhipSession) -> tuple[Evidence, ...]:
    """The session's headers as evidence."""
    return (Evidence(session.at, f"Location: {session.location or '-'}, ETag: {session.etag or '-'}"),)


def refused_or(
    timeline: Timeline, purpose: str, cases: Sequence[str], accepted: str, crashed: str
) -> Violation | None:
    """A violation for the first that was not refused with a 4xx status; 501 is an honest refusal, too."""
    for case in cases:
        exchange = asked_of(timeline, purpose, case)
        if exchange is None or exchange.ended_at is None:
            continue
        status = exchange.status
        if status is not None and (400 <= status < 500 or status == NOT_IMPLEMENTED):
            continue
        cause = accepted if status is not None and status < 400 else crashed
        return Violation(cause, f"{case}: {told(exchange)}", exchange.evidence())
    return None


def told(exchange: Exchange) -> str:
    """How it ended, in a word."""
    if exchange.status is not None:
        return f"status {exchange.status}"
    return exchange.failed.failure if exchange.failed else "no end"
