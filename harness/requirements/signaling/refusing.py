"""What the relay does with offers that nobody could answer."""

from __future__ import annotations

from harness.core import probes
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked
from harness.requirements.exchanges import Exchange, excerpt, exchanges, stack_trace
from harness.requirements.model import (
    Alternative,
    Because,
    Cause,
    Finding,
    Inconclusive,
    Level,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

# OpenAI answers an offer without a data channel, and a relay may read a body whatever its type says:
# here only a crash, a hang or a stack trace is wrong.
MAY_BE_ACCEPTED = ("no-data-channel", "wrong-media-type")


@requirement(
    "signaling.bad-offer-refused",
    "An offer that cannot be answered is refused with a client error",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever sends a malformed offer",
    severity=Severity.NORMAL,
    source=Source(
        "RFC 9110, section 15.5",
        "A 4xx status says that the client seems to have erred; 5xx would say that the server has.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5",
    ),
    when=(asked(probes.BAD_OFFER, "offers that cannot be answered were sent"),),
    causes={
        "bad-offer-accepted": Cause(
            "the relay answered an impossible offer with success",
            "check before forwarding that the offer begins with v=0 and has m=audio, and pass the upstream's "
            "400 on as 400",
        ),
        "bad-offer-crash": Cause(
            "the relay failed on an impossible offer instead of refusing it",
            "catch the error of reading the body (JSON, charset, size) and of the upstream's 400, and answer "
            "400, 413 or 415",
        ),
        "hangs": Cause(
            "the relay never answered an impossible offer",
            "limit the time and the size of reading the body, and answer 400, 408 or 413",
            in_time=True,
        ),
        "stack-trace-exposed": Cause(
            "the relay's refusal shows a stack trace",
            "run in production mode and answer errors with a fixed JSON body; log the exception instead",
        ),
    },
)
def bad_offer_refused(timeline: Timeline) -> Finding:
    """Each impossible offer gets a 4xx in time, without a stack trace."""
    sent = exchanges(timeline, probes.BAD_OFFER)
    for exchange in sent:
        violation = _judged(exchange)
        if violation is not None:
            return violation
    if any(exchange.ended_at is None for exchange in sent):
        return Inconclusive("the record ends before the relay answered")
    return None


def _judged(exchange: Exchange) -> Violation | None:
    case, evidence = exchange.request.case or "bad offer", exchange.evidence()
    if exchange.failed is not None:
        if exchange.failed.failure in ("timeout", "unfinished"):
            return Violation("hangs", f"{case}: no response within {exchange.seconds or 0:.1f} s", evidence)
        seen = f"{case}: the connection was {exchange.failed.failure} without a response"
        return Violation("bad-offer-crash", seen, evidence)
    if exchange.response is None:
        return None
    status = exchange.response.status
    trace = stack_trace(exchange.body)
    if trace is not None:
        crashed = (Alternative("bad-offer-crash", f"status {status}"),) if status >= 500 else ()
        return Violation("stack-trace-exposed", f"{case}: status {status} with {trace}", evidence, crashed)
    if status >= 500:
        return Violation(
            "bad-offer-crash", f"{case}: status {status}, body {excerpt(exchange.body)}", evidence
        )
    if status < 400 and case not in MAY_BE_ACCEPTED:
        return Violation(
            "bad-offer-accepted", f"{case}: status {status}, body {excerpt(exchange.body)}", evidence
        )
    return None
