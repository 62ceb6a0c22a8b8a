"""Why an offer was not accepted, as far as a status tells it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.timeline import Timeline
from harness.requirements.arrivals import was_asked
from harness.requirements.conditions import started
from harness.requirements.exchanges import Exchange, excerpt, header
from harness.requirements.in_front import cause_in_front
from harness.requirements.model import Alternative


@dataclass(frozen=True)
class OfferRefusal:
    """Why the offer was not accepted."""

    cause: str
    seen: str
    alternatives: tuple[Alternative, ...] = ()


def by_status(timeline: Timeline, exchange: Exchange) -> OfferRefusal:
    """The likeliest cause, with what else it may be where the upstream is not seen."""
    status = exchange.status or 0
    passed_on = f"a relay that passes OpenAI's own {status} on looks the same from here"
    seen = f"status {status}: {excerpt(exchange.body)}"
    if (fake := was_asked(timeline)) is not None:
        seen += "; nothing of this offer reached the fake"
        if status >= 500:
            seen += (
                f": the relay failed before it forwarded, or it points to another upstream than {fake.base} "
                f"(OPENAI_BASE_URL={fake.base}/v1)"
            )
    if exchange.response is not None and (cause := cause_in_front(exchange.response)):
        others = unseen(timeline, "upstream-rate-limited", passed_on) if status == 429 else ()
        return OfferRefusal(cause, f"status {status}: {excerpt(exchange.body)}", others)
    if status == 404:
        return OfferRefusal("not-found", seen, unseen(timeline, "upstream-offer-rejected", passed_on))
    if status == 405:
        allow = header(exchange.response.headers, "allow") if exchange.response else None
        return OfferRefusal("method-not-allowed", f"status 405, Allow: {allow or 'not given'}")
    if status in (401, 403, 407):
        return OfferRefusal("unauthorized", seen, unseen(timeline, "upstream-unauthorized", passed_on))
    if status in (502, 504):
        return OfferRefusal(
            "relay-error",
            seen,
            (Alternative("upstream-error", f"{status} is what a gateway says when its upstream failed"),),
        )
    if status >= 500:
        return OfferRefusal("relay-error", seen)
    return OfferRefusal("offer-refused", seen, unseen(timeline, "upstream-offer-rejected", passed_on))


def unseen(timeline: Timeline, cause: str, because: str) -> tuple[Alternative, ...]:
    """What the upstream may have had to do with it, where its end is not seen."""
    return (Alternative(cause, because),) if started(timeline).mode == "black-box" else ()
