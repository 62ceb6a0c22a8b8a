"""What a session says to PATCH: candidates, and an ICE restart."""

from __future__ import annotations

import re

from harness.core.events import StateChanged
from harness.core.probes import WHIP_END, WHIP_SESSION
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.exchanges import Exchange, header, media_type
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.whip.asking import (
    NOT_IMPLEMENTED,
    asked_of,
    made_by,
    refused_or,
    rfc,
    session_of,
    told,
    was_asked,
)

FRAGMENT = "application/trickle-ice-sdpfrag"
UNSUPPORTED = (405, 422, NOT_IMPLEMENTED)
GONE = (404, 410)
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110, section 8.8.3


def _is_refused(exchange: Exchange) -> bool:
    return exchange.status is not None and (
        400 <= exchange.status < 500 or exchange.status == NOT_IMPLEMENTED
    )


@requirement(
    "whip.bad-patch-refused",
    "A PATCH that is no ICE fragment is refused with a client error",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="whoever patches something else",
    severity=Severity.NORMAL,
    stage=CallStage.ICE,
    source=rfc(
        "4.3.1",
        "Another type than application/trickle-ice-sdpfrag, or a malformed fragment, gets a 4xx (415, 400).",
    ),
    needs=("whip.session-location",),
    when=(was_asked(WHIP_SESSION, "wrong-type", "malformed"),),
    causes={
        "bad-patch-accepted": Cause(
            "a PATCH that is no ICE fragment, or does not say that it is one, was answered with success",
            "look at Content-Type first (415), and answer 400 where ice-ufrag and ice-pwd are missing",
        ),
        "bad-patch-crash": Cause(
            "the session failed on a PATCH that is no ICE fragment instead of refusing it",
            "catch what parsing throws, and answer 400; a session that takes no PATCH answers 405",
        ),
    },
)
def bad_patch_refused(timeline: Timeline) -> Finding:
    """A fragment as text/plain, and a text that is none."""
    cases = ("wrong-type", "malformed")
    return refused_or(timeline, WHIP_SESSION, cases, "bad-patch-accepted", "bad-patch-crash")


@requirement(
    "whip.candidates",
    "Candidates are taken, or refused as unsupported",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every client that trickles its candidates",
    severity=Severity.NORMAL,
    stage=CallStage.ICE,
    source=rfc(
        "4.3.2 and 4.3.1",
        "Candidates get 204 without a body and without ETag; what is unsupported gets 422.",
    ),
    needs=("whip.session-location",),
    when=(was_asked(WHIP_SESSION, "candidates"),),
    causes={
        "candidates-answered-otherwise": Cause(
            "candidates were taken with another answer than a bare 204",
            "answer 204 without body and ETag: a client reads both as those of an ICE restart",
        ),
        "candidates-crash": Cause(
            "the session failed on candidates",
            "answer 422 where only ICE restarts are supported, 405 where PATCH is not; a candidate that "
            "cannot be used is dropped, and the rest taken",
        ),
        "candidates-refused-otherwise": Cause(
            "candidates were refused as if something else were wrong with them",
            "answer 422 where only ICE restarts are supported, 405 where PATCH is not: the client then knows "
            "that the call goes on without",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def candidates(timeline: Timeline) -> Finding:
    """The caller's own candidates once more, with the session's entity-tag."""
    exchange = asked_of(timeline, WHIP_SESSION, "candidates")
    if exchange is None or exchange.ended_at is None:
        return None
    if exchange.succeeded and exchange.response is not None:
        tag = header(exchange.response.headers, "etag")
        if exchange.status == 204 and not exchange.body and tag is None:
            return None
        seen = f"status {exchange.status}, {len(exchange.body)} characters, ETag: {tag or '-'}"
        return Violation("candidates-answered-otherwise", seen, exchange.evidence())
    if not _is_refused(exchange):
        return Violation("candidates-crash", told(exchange), exchange.evidence())
    if exchange.status in UNSUPPORTED or _is_for_its_tag(timeline, exchange):
        return None
    return Violation("candidates-refused-otherwise", told(exchange), exchange.evidence())


def _is_for_its_tag(timeline: Timeline, exchange: Exchange) -> bool:
    """Whether the refusal is about a tag that no If-Match can match, or that never came."""
    session = session_of(timeline)
    return exchange.status in (412, 428) and session is not None and not _STRONG.fullmatch(session.etag)


def _takes_no_candidates(timeline: Timeline) -> NotApplicable | None:
    exchange = asked_of(timeline, WHIP_SESSION, "candidates")
    if exchange is not None and (exchange.succeeded or _is_for_its_tag(timeline, exchange)):
        return None
    restart = asked_of(timeline, WHIP_SESSION, "restart")
    if restart is not None and restart.succeeded:
        return None
    return NotApplicable("the session takes neither candidates nor ICE restarts")


@requirement(
    "whip.preconditions",
    "A session knows by its entity-tag which ICE session a PATCH is for",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every client whose PATCH requests overtake each other",
    severity=Severity.NORMAL,
    stage=CallStage.ICE,
    source=rfc(
        "4.3.1",
        "A strong entity-tag in the 201; a PATCH without it gets 428, one with another gets 412.",
    ),
    needs=("whip.session-location",),
    when=(
        was_asked(WHIP_SESSION, "candidates"),
        Condition("the session takes candidates or ICE restarts", _takes_no_candidates),
    ),
    causes={
        "etag-missing": Cause(
            "the session takes PATCH, and the answer to the offer has no ETag",
            'send a strong ETag, such as "1f3a…", with the 201, and another with each ICE restart',
        ),
        "etag-weak": Cause(
            "the session's entity-tag is weak, or none at all",
            "send it in quotes and without W/: If-Match never matches a weak one; look for a middleware or "
            "proxy that makes them",
        ),
        "unconditional-patch-accepted": Cause(
            "candidates were taken without If-Match",
            "answer 428: they may belong to the ICE session before the restart",
        ),
        "stale-patch-accepted": Cause(
            "candidates were taken with an entity-tag that is not the session's",
            "compare If-Match with the session's tag, and answer 412",
        ),
    },
)
def preconditions(timeline: Timeline) -> Finding:
    """The tag itself, then candidates without and with another. Without restarts, no tag is a SHOULD."""
    session, restart = session_of(timeline), asked_of(timeline, WHIP_SESSION, "restart")
    assert session is not None  # noqa: S101  (what needs its Location has one)
    if not session.etag:
        restarts = restart is not None and restart.succeeded
        level = None if restarts else Level.SHOULD
        return Violation("etag-missing", "no ETag came with it", made_by(session), level=level)
    if not _STRONG.fullmatch(session.etag):
        return Violation("etag-weak", f"ETag: {session.etag}", made_by(session))
    for case, cause in (("unconditional", "unconditional-patch-accepted"), ("stale", "stale-patch-accepted")):
        exchange = asked_of(timeline, WHIP_SESSION, case)
        if exchange is not None and exchange.succeeded:
            return Violation(cause, told(exchange), exchange.evidence())
    return None


@requirement(
    "whip.ice-restart",
    "An ICE restart is carried out, or refused and the session kept",
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every caller whose network changes",
    severity=Severity.CRITICAL,
    stage=CallStage.ICE,
    source=rfc(
        "4.3.3",
        "A restart gets 200 with the new ufrag, password and ETag; one that cannot be done gets an error, "
        "and must not end the session.",
    ),
    needs=("whip.session-location",),
    when=(was_asked(WHIP_SESSION, "restart"),),
    causes={
        "restart-answer-incomplete": Cause(
            "an ICE restart was answered with success, and without what the client needs for it",
            "answer 200 with application/trickle-ice-sdpfrag, new ice-ufrag and ice-pwd, and a new ETag; "
            "where restarts are not supported (OpenAI's are not), answer 422",
        ),
        "restart-crash": Cause(
            "the session failed on an ICE restart",
            "tell one by its ice-ufrag, which is another than the offer's, and answer 422 where restarts are "
            "not supported",
        ),
        "restart-ends-session": Cause(
            "an ICE restart was refused, and the session was gone after it",
            "keep the session as it is: the client may try again, go on with the old path, or DELETE it",
            because=Because.CALLER,
        ),
    },
)
def ice_restart(timeline: Timeline) -> Finding:
    """With If-Match: *, as a client does it."""
    exchange, session = asked_of(timeline, WHIP_SESSION, "restart"), session_of(timeline)
    if exchange is None or exchange.ended_at is None:
        return None
    if exchange.succeeded and exchange.response is not None:
        headers = exchange.response.headers
        tag = header(headers, "etag")
        lacks = [
            *([f"status {exchange.status}"] if exchange.status != 200 else []),
            *(["its type"] if media_type(headers) != FRAGMENT else []),
            *([name for name in ("ice-ufrag", "ice-pwd") if f"a={name}:" not in exchange.body]),
            *(["a new ETag"] if tag is None or (session and tag == session.etag) else []),
        ]
        if not lacks:
            return None
        return Violation("restart-answer-incomplete", f"not as due: {', '.join(lacks)}", exchange.evidence())
    if not _is_refused(exchange):
        return Violation("restart-crash", told(exchange), exchange.evidence())
    ended = asked_of(timeline, WHIP_END, "held")
    if ended is not None and ended.status in GONE and not _ended_by_others(timeline):
        evidence = (*exchange.evidence(), *ended.evidence(), *_lost(timeline, exchange.ended_at))
        return Violation("restart-ends-session", f"DELETE then brought {ended.status}", evidence)
    return None


def _ended_by_others(timeline: Timeline) -> bool:
    stranger = asked_of(timeline, "whip-stranger", "live")
    return stranger is not None and stranger.succeeded


def _lost(timeline: Timeline, since: float) -> tuple[Evidence, ...]:
    lost = timeline.first(StateChanged, where=lambda e: e.at >= since and e.state in ("failed", "closed"))
    return (Evidence(lost.at, f"{lost.layer} {lost.state}"),) if lost else ()
