"""Whether the relay takes offers as browsers write them; where it does not, which line it trips over."""

from __future__ import annotations

from harness.core.events import OfferTried
from harness.core.offer_shapes import (
    AGAIN,
    CANDIDATES,
    CODECS,
    LINES,
    MINIMAL,
    NO_CANDIDATE,
    OTHER_SHAPE,
    SEVERAL,
    SMALLEST,
    SMALLEST_AS_LONG,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED
from harness.requirements.exchanges import excerpt, offer_exchange
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
from harness.requirements.registry import requirement

FORWARD = "forward the offer byte for byte, and leave it to the upstream to read it"
CAUSE_OF = {
    NO_CANDIDATE: "candidate-demanded",
    CANDIDATES: "candidate-refused",
    CODECS: "codecs-refused",
    LINES: "line-refused",
    SEVERAL: "shape-refused",
}
NOT_SEARCHED = (
    "which of its lines makes the difference was not searched for, since each further offer that is accepted "
    "is a call on your bill (`harness doctor --find-line`, or HARNESS_FIND_LINE=1, searches with up to two "
    "more)"
)
MOST_LINES = 2  # of those that make the difference, quoted


@requirement(
    "signaling.offer-shape-accepted",
    "The relay takes offers as browsers write them",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8866, section 5.13; RFC 8829, section 5.2",
        "An attribute that is not understood is ignored; a browser's offer has the lines that it has, and "
        "candidates only where the page waited for them.",
        "https://www.rfc-editor.org/rfc/rfc8866#section-5.13",
    ),
    needs=("signaling.offer-forwarded-intact",),
    when=(OFFERED,),
    causes={
        "offer-too-long": Cause(
            "the relay refuses an offer for its length",
            f"{FORWARD}; allow a body of 64 KiB: browsers' offers have 1,400 to 3,000 characters, more with "
            "several networks, VPNs and TURN servers",
        ),
        "candidate-demanded": Cause(
            "the relay refuses an offer without candidates",
            "take a=candidate out of what is demanded: a page that does not wait for gathering posts none, "
            "and the upstream learns the caller's address from its connectivity checks",
        ),
        "candidate-refused": Cause(
            "the relay trips over a kind of candidate that browsers write",
            f"{FORWARD}; candidates are udp or tcp in either case, of IPv4, IPv6 or a .local name, and of "
            "component 1 or 2",
        ),
        "codecs-refused": Cause(
            "the relay trips over the codecs that browsers offer",
            f"{FORWARD}; m=audio names several payload types, and Opus may have any number: look for "
            "`opus/48000` in a=rtpmap where you must look at all",
        ),
        "line-refused": Cause(
            "the relay trips over a line that browsers write",
            f"{FORWARD}; where an SDP library reads it, update the library or let it ignore what it does "
            "not know",
        ),
        "shape-refused": Cause(
            "the relay trips over several lines that a browser writes",
            f"{FORWARD}; where an SDP library reads it, give it this offer from the evidence as a test",
        ),
    },
)
def offer_shape_accepted(timeline: Timeline) -> Finding:
    """A refused offer is refused whatever its shape; else what makes the difference is named."""
    exchange = offer_exchange(timeline)
    if exchange is None:
        return NotApplicable("no offer was sent")
    tried = timeline.all(OfferTried)
    if not tried and exchange.succeeded:
        return None
    if not tried:
        return NotApplicable("the offer was refused for another reason than how it is written")
    by_how = {each.how: each for each in tried}
    if AGAIN not in by_how or by_how[AGAIN].accepted:
        return NotApplicable("the same kind of offer was accepted when it was made once more")
    smallest = by_how.get(SMALLEST) or by_how.get(SMALLEST_AS_LONG)
    if smallest is None or not smallest.accepted:
        return NotApplicable("every offer was refused, also the smallest that there is")
    cause, what = _difference(tried, by_how)
    said = excerpt(exchange.body) if exchange.body else "an empty body"
    how = f"status {exchange.status}, {said}" if exchange.response else "the connection was closed"
    return Violation(
        cause, f"{what}; {_passing(tried)}; {how}", exchange.evidence() + tuple(map(_quoted, tried))
    )


def _difference(tried: list[OfferTried], by_how: dict[str, OfferTried]) -> tuple[str, str]:
    """The cause, and what makes the difference between an offer that passes and this one."""
    refused = by_how[AGAIN]
    if SMALLEST in by_how:
        long, short = by_how[SMALLEST_AS_LONG], by_how[SMALLEST]
        return "offer-too-long", (
            f"{refused.characters} characters are refused and {short.characters} accepted, and the accepted "
            f"ones are refused when one name in them is made longer, to {long.characters}"
        )
    whose = f"an offer as {refused.shape} writes it is refused"
    changed = [t for t in tried if t.how in CAUSE_OF]
    if not changed:
        return "shape-refused", f"{whose}, one as {MINIMAL} writes it is accepted; {NOT_SEARCHED}"
    passing = [t for t in changed if t.accepted]
    if not passing:
        return "shape-refused", f"{whose}, and no line of it makes the difference"
    made = passing[-1]  # of several changes the fewest
    lines = list(dict.fromkeys(made.lines))
    quoted = "; ".join(map(excerpt, lines[:MOST_LINES]))
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    where = f"line {made.first_line} is" if made.first_line else "it lacks"
    return CAUSE_OF[made.how], f"{whose}, {made.change} it is accepted: {where} {quoted}{more}"


def _passing(tried: list[OfferTried]) -> str:
    """Which shapes pass and which do not, as far as they were offered."""
    offered = [t for t in tried if t.how in (AGAIN, OTHER_SHAPE, SMALLEST, SMALLEST_AS_LONG)]
    passing = dict.fromkeys(t.shape for t in offered if t.accepted)
    refused = dict.fromkeys(t.shape for t in offered if not t.accepted and t.shape not in passing)
    return f"accepted: {', '.join(passing)}; refused: {', '.join(refused)}"


def _quoted(tried: OfferTried) -> Evidence:
    words = {AGAIN: "once more", SMALLEST_AS_LONG: "made as long", OTHER_SHAPE: "", SMALLEST: ""}
    how = f"offered as {tried.shape} {words.get(tried.how, tried.change)}".rstrip()
    end = f"{tried.status} {excerpt(tried.body, 80)}" if tried.status else tried.failure
    outcome = "accepted" if tried.accepted else f"refused: {end}"
    return Evidence(tried.at, f"{how}, {tried.characters} characters: {outcome}")
