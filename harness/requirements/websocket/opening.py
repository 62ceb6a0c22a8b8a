"""The WebSocket opens, and OpenAI's session behind it begins."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import ArrivalsRead, RequestArrived, ServerEvent, SocketClosed
from harness.core.fields import field
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.arrivals import arrivals, evidence
from harness.requirements.conditions import asked, last_moment, limit_of
from harness.requirements.exchanges import Exchange, excerpt, exchanges, is_html
from harness.requirements.in_front import said_in_front
from harness.requirements.model import (
    Alternative,
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
from harness.requirements.registry import requirement

RFC_6455 = "https://www.rfc-editor.org/rfc/rfc6455"
UNREACHED = ("refused", "unresolved", "unanswered", "tls")
BETA_CODE, BETA_CLOSE = "beta_api_shape_disabled", 4000

ASKED = asked(probes.UPGRADE, "a WebSocket was asked for")


def upgrade(timeline: Timeline) -> Exchange | None:
    """The request that was to open the call's WebSocket, with its end."""
    return next(iter(exchanges(timeline, probes.UPGRADE)), None)


def _not_open(timeline: Timeline) -> NotApplicable | None:
    asked_for = upgrade(timeline)
    opened = asked_for is not None and asked_for.status == 101
    return None if opened else NotApplicable("no WebSocket was open")


OPEN = Condition("the WebSocket opened", _not_open)


@requirement(
    "websocket.opens",
    "The relay opens the WebSocket",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 6455, section 4.2.2",
        "A server that accepts the connection answers with status 101 and the key's proof.",
        RFC_6455 + "#section-4.2.2",
    ),
    when=(ASKED,),
    also_in=("connectivity",),
    causes={
        "no-websocket": Cause(
            "what answers there is no WebSocket",
            "give the URL of the WebSocket itself, with its path; then look at what stands in front of the "
            "relay: "
            "a proxy passes the upgrade on only where it is told to (nginx: proxy_http_version 1.1, Upgrade "
            "and Connection headers), and a login page or a catch-all route answers in its place",
        ),
        "unauthorized": Cause(
            "the relay refuses the caller",
            "configure the credentials that your page has (bearer, cookies or subprotocols): "
            "docs/targets.md; "
            "a browser can send neither Authorization nor headers of its own with a WebSocket",
        ),
        "upstream-refused": Cause(
            "OpenAI refuses the relay's connection, so the relay refuses the caller's",
            "look at the status that the relay was given: 401 is its key, 403 and 404 are the model or the "
            "project, 429 the limits of the account",
        ),
        "relay-error": Cause(
            "the relay fails at the upgrade",
            "look at the relay's own log of this moment; let it answer 502 where OpenAI cannot be had, and "
            "say why",
        ),
        "no-answer": Cause(
            "the relay takes the connection and never answers the upgrade",
            "answer within seconds, or refuse: connect to OpenAI with a time-out of its own",
            in_time=True,
        ),
    },
)
def opens(timeline: Timeline) -> Finding:
    """The answer to the upgrade has status 101."""
    asked_for = upgrade(timeline)
    if asked_for is None or asked_for.status == 101:
        return None
    quotes = asked_for.evidence()
    if asked_for.failed is not None:
        failure, detail = asked_for.failed.failure, asked_for.failed.detail
        if failure in UNREACHED:
            return Inconclusive(f"nothing answers at the target: {detail}")
        cause = "no-answer" if failure in ("timeout", "dropped") else "no-websocket"
        return Violation(cause, detail or failure, quotes)
    if asked_for.response is None:
        return Inconclusive("the record ends before the relay answered")
    status, front = asked_for.response.status, said_in_front(asked_for.response)
    refused = [a for a in _upstream_arrivals(timeline) if (a.status or 0) >= 400]
    if refused:
        seen = f"{refused[-1].status} {refused[-1].code}".strip() + f"; the caller was told {status}"
        return Violation("upstream-refused", seen, (*quotes, evidence(refused[-1])))
    if status in (401, 403):
        # What Starlette, and with it FastAPI, says of a path at which it has no WebSocket.
        no_path = Alternative("no-websocket", "frameworks say 403 of a path where they have none")
        others = () if status == 401 or asked_for.body else (no_path,)
        return Violation("unauthorized", f"status {status}{front}", quotes, others)
    if status >= 500:
        return Violation("relay-error", f"status {status}{front}", quotes)
    what = "a web page" if is_html(asked_for.response) else excerpt(asked_for.body, 80)
    return Violation("no-websocket", f"status {status}, {what}{front}", quotes)


@requirement(
    "websocket.session-begins",
    "The session at OpenAI begins, and the caller is told",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI Realtime guide, WebSocket",
        "The relay opens a connection of its own to /v1/realtime; its first event is session.created.",
        "https://platform.openai.com/docs/guides/realtime-websocket",
    ),
    needs=("websocket.opens",),
    when=(OPEN,),
    also_in=("connectivity", "session"),
    causes={
        "upstream-never-opened": Cause(
            "the relay took the caller's WebSocket and never opened one to OpenAI",
            "connect to wss://api.openai.com/v1/realtime?model=… before the upgrade is accepted, with a "
            "time-out, "
            "and refuse the caller where that fails; where connections are queued, look at what they wait "
            "for",
            in_time=True,
        ),
        "upstream-refused": Cause(
            "OpenAI refuses the relay's connection",
            "look at the status: 401 is the relay's key, 403 and 404 are the model or the project, 429 the "
            "limits of the account; and close the caller's WebSocket with a code that says so",
        ),
        "beta-header": Cause(
            "the relay asks for the retired beta",
            "remove the header OpenAI-Beta: realtime=v1 from the relay's connection, and write sessions and "
            "events in the GA shape",
        ),
        "closed-at-once": Cause(
            "the WebSocket was closed before the session began",
            "look at the relay's log of this moment: a client that is gone, a library that closes when its "
            "handler "
            "returns, or a proxy that takes no WebSockets",
        ),
        "session-not-forwarded": Cause(
            "the session began at OpenAI, and the caller was not told",
            "register the listener for OpenAI's messages before its connection opens, or buffer what comes "
            "until the caller's is accepted: the first event comes at once",
            in_time=True,
        ),
    },
)
def session_begins(timeline: Timeline) -> Finding:
    """session.created within `session_s` of the open WebSocket."""
    if timeline.server_events("session.created"):
        return None
    opened = timeline.state("channel", "open")
    if opened is None:
        return Inconclusive("the record ends before the WebSocket opened")
    first = next(iter(timeline.server_events()), None)
    closed = timeline.first(SocketClosed, where=lambda e: e.by != "caller")
    quotes = tuple(_quotes(opened.at, first, closed))
    code = field(first.event, "error", "code") if first is not None else None
    if code == BETA_CODE or (closed is not None and closed.code == BETA_CLOSE):
        return Violation("beta-header", f"{code or (closed and closed.code)}", quotes)
    reached = _upstream_arrivals(timeline)
    refused = [a for a in reached if (a.status or 0) >= 400]
    if refused:
        seen = f"{refused[-1].status} {refused[-1].code}".strip()
        return Violation("upstream-refused", seen, (*quotes, evidence(refused[-1])))
    if first is not None and first.type == "error":
        return Violation("upstream-refused", excerpt(str(field(first.event, "error") or first.event)), quotes)
    if closed is not None and first is None:
        return Violation("closed-at-once", f"code {closed.code} {closed.reason}".rstrip(), quotes)
    began = timeline.server_events("session.created", side="upstream")
    if began:
        seen = f"{len(timeline.server_events())} other events came to the caller"
        return Violation("session-not-forwarded", seen, (*quotes, Evidence(began[0].at, "at the fake")))
    if closed is not None:
        return Violation("closed-at-once", f"code {closed.code} {closed.reason}".rstrip(), quotes)
    watched = last_moment(timeline) - opened.at
    if watched < limit_of(timeline, "session_s"):
        return Inconclusive(f"the WebSocket was watched for only {watched:.1f} s")
    seen = f"nothing came in {watched:.1f} s"
    if timeline.first(ArrivalsRead) is not None and not reached:
        seen += ", and no connection reached the fake"
    return Violation("upstream-never-opened", seen, quotes)


def _quotes(opened: float, first: ServerEvent | None, closed: SocketClosed | None) -> list[Evidence]:
    found = [Evidence(opened, "the WebSocket opened")]
    if first is not None:
        found.append(Evidence(first.at, f"the first event: {excerpt(str(first.event or first.raw))}"))
    if closed is not None:
        found.append(Evidence(closed.at, f"closed by {closed.by}: {closed.code} {closed.reason}".rstrip()))
    return found


def _upstream_arrivals(timeline: Timeline) -> list[RequestArrived]:
    return [a for a in arrivals(timeline) if a.method == "WEBSOCKET"]
