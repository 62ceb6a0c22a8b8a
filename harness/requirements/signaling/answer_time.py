"""How long the relay made the caller wait for the answer."""

from __future__ import annotations

from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED, limit_of
from harness.requirements.exchanges import offer_exchange, upstream_offers
from harness.requirements.model import Because, Cause, Finding, Level, Severity, Source, Violation
from harness.requirements.registry import requirement


@requirement(
    "signaling.answer-time",
    "The answer comes soon",
    stage=CallStage.ANSWER,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "Advice: a user waits in silence until the answer is there",
        "OpenAI answers in well under a second; a relay has little to add.",
    ),
    needs=("signaling.offer-accepted",),
    when=(OFFERED,),
    causes={
        "slow-answer": Cause(
            "the answer came late",
            "look at what the relay does before it forwards (database, token mint, cold start), keep its "
            "connection to OpenAI open, and run it near OpenAI's region",
            in_time=True,
        )
    },
)
def answer_time(timeline: Timeline) -> Finding:
    """From the POST to the end of its response, against the limit `answer_s`."""
    exchange = offer_exchange(timeline)
    allowed = limit_of(timeline, "answer_s")
    if exchange is None or exchange.seconds is None or exchange.seconds <= allowed:
        return None
    upstream = [e for e in upstream_offers(timeline) if e.seconds is not None]
    share = f", of which the upstream took {upstream[-1].seconds:.2f} s" if upstream else ""
    seen = f"{exchange.seconds:.2f} s against {allowed:g} s{share}"
    return Violation("slow-answer", seen, exchange.evidence())
