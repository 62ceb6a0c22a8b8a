"""What the relay gives back of what the upstream said, good or bad: needs both ends."""

from __future__ import annotations

from harness.core import probes
from harness.core.fields import field
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import ANSWERED, FORWARDED, NO_GATEWAY, OFFERED, asked
from harness.requirements.exchanges import (
    Exchange,
    as_json,
    error_of,
    excerpt,
    exchanges,
    is_html,
    upstream_offers,
)
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
from harness.requirements.registry import requirement
from harness.requirements.signaling.quoting import answer_of


@requirement(
    "signaling.answer-returned-intact",
    "The answer comes back byte for byte",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 3264, section 6",
        "The answer is the answerer's: offerer and answerer must agree on every line of it.",
        "https://www.rfc-editor.org/rfc/rfc3264#section-6",
    ),
    needs=("signaling.answer-mirrors-offer", "signaling.answer-has-candidates"),
    when=(NO_GATEWAY, OFFERED, ANSWERED, FORWARDED),
    causes={
        "answer-mutated": Cause(
            "the relay changed the answer",
            "return the upstream's body byte for byte; remove whatever parses and rewrites SDP on the way "
            "(munging, charset conversion, HTML escaping)",
        )
    },
)
def answer_returned_intact(timeline: Timeline) -> Finding:
    """The SDP that the caller took is the one that the upstream sent.

    Its line ends are left to signaling.answer-line-endings, which says more of them.
    """
    made = [e for e in upstream_offers(timeline) if e.succeeded]
    if not made:
        return NotApplicable("the upstream made no call")
    answer = answer_of(timeline)
    # A relay that retried returns the last answer, one that raced two requests either.
    sent = [_sdp_of(e) for e in made]
    if any(answer.sdp.splitlines() == each.splitlines() for each in sent):
        return None
    lost, new = _changes(sent[-1], answer.sdp)
    changes = [f"gone: {excerpt(line)}" for line in lost[:2]] + [f"new: {excerpt(line)}" for line in new[:2]]
    return Violation(
        "answer-mutated",
        "; ".join(changes) or "the order of its lines differs",
        (
            Evidence(made[-1].ended_at, f"the upstream answered {len(sent[-1])} characters"),
            Evidence(answer.at, f"the relay returned {len(answer.sdp)} characters"),
        ),
    )


def _sdp_of(exchange: Exchange) -> str:
    inside = field(as_json(exchange.body), "transport", "sdp")
    return inside if isinstance(inside, str) else exchange.body


def _changes(sent: str, received: str) -> tuple[list[str], list[str]]:
    before, after = sent.splitlines(), received.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


@requirement(
    "signaling.upstream-failure-reported",
    "A failure of the upstream reaches the caller as a failure",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller while OpenAI fails",
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 9110, sections 15.6.3 and 15.6.5",
        "A gateway answers 502 when its upstream's response is invalid, 504 when none comes in time.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.3",
    ),
    when=(asked(probes.UPSTREAM_FAILURE, "an offer was sent while the upstream was made to fail"),),
    causes={
        "upstream-error-as-sdp": Cause(
            "the relay passed the upstream's error body on as if it were the answer",
            "look at the upstream's status before its body: anything but 200 or 201 becomes an error of your "
            "own (502, 503, 504) with a JSON body",
        ),
        "failure-hidden": Cause(
            "the relay told the caller nothing of the upstream's failure",
            "answer 502 for an upstream error, 503 with Retry-After for its 429, 504 for its silence; "
            "never 2xx or a dropped connection",
        ),
        "hangs": Cause(
            "the relay kept the caller waiting when the upstream failed",
            "give the request to OpenAI a time-out below the client's (10 s), catch connection errors, and "
            "answer 504 or 502",
            in_time=True,
        ),
    },
)
def upstream_failure_reported(timeline: Timeline) -> Finding:
    """Each probe is answered with a 4xx or 5xx status in time; how it bears a silent one is SHOULD."""
    found = [_misreported(timeline, exchange) for exchange in exchanges(timeline, probes.UPSTREAM_FAILURE)]
    violations = [each for each in found if isinstance(each, Violation)]
    binding = [each for each in violations if each.level is None]
    return next((each for each in [*binding, *violations, *found] if each is not None), None)


def _misreported(timeline: Timeline, exchange: Exchange) -> Finding:
    failed_how = exchange.request.case or "failure"
    if exchange.failed is not None and exchange.failed.failure in ("timeout", "unfinished"):
        seen = f"no response within {exchange.seconds or 0:.1f} s of an upstream's {failed_how}"
        level = Level.SHOULD if failed_how == "no-answer" else None
        return Violation("hangs", seen, _both_ends(timeline, exchange), level=level)
    if exchange.failed is not None:
        seen = f"the connection was {exchange.failed.failure} after an upstream's {failed_how}"
        return Violation("failure-hidden", seen, _both_ends(timeline, exchange))
    if exchange.response is None:
        return Inconclusive("the record ends before the relay answered")
    if exchange.response.status >= 400:
        return None
    if any(e.succeeded for e in upstream_offers(timeline)):
        return Inconclusive("the upstream did not fail: the fault was not planted, or not for this call")
    if not upstream_offers(timeline) and "v=0" in exchange.body:
        return NotApplicable(
            f"the relay answered, and no request upstream bears this offer's name, so the {failed_how} that "
            "was meant for it was not met: a gateway, whose upstream cannot be made to fail for one call"
        )
    as_answer = (
        error_of(exchange.body) is not None or is_html(exchange.response) or _copied(timeline, exchange)
    )
    return Violation(
        "upstream-error-as-sdp" if as_answer else "failure-hidden",
        f"status {exchange.status} for an upstream's {failed_how}, body {excerpt(exchange.body)}",
        _both_ends(timeline, exchange),
    )


def _copied(timeline: Timeline, exchange: Exchange) -> bool:
    bodies = [e.body.strip() for e in upstream_offers(timeline)]
    return any(body and body in exchange.body for body in bodies)


def _both_ends(timeline: Timeline, exchange: Exchange) -> tuple[Evidence, ...]:
    return exchange.evidence() + tuple(line for e in upstream_offers(timeline) for line in e.evidence())
