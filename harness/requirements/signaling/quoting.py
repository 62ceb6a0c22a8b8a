"""Quoting the answer, and telling who made it what it is."""

from __future__ import annotations

from harness.core.events import AnswerReceived, OfferCreated
from harness.core.sdp import Section, SessionDescription, parse_sdp
from harness.core.timeline import Timeline
from harness.requirements.exchanges import upstream_offers
from harness.requirements.model import Evidence, Violation


def answer_of(timeline: Timeline) -> AnswerReceived:
    """The answer; an empty one where none came."""
    return timeline.first(AnswerReceived) or AnswerReceived(at=0.0, sdp="")


def both(timeline: Timeline) -> tuple[SessionDescription, SessionDescription]:
    """Offer and answer, read; empty descriptions where they are not there."""
    offer = timeline.first(OfferCreated)
    return parse_sdp(offer.sdp if offer else ""), parse_sdp(answer_of(timeline).sdp)


def gone(timeline: Timeline, cause: str, kind: str) -> Violation:
    """A section of the offer is not in the answer."""
    offer, answer = both(timeline)
    seen = (
        f"answer at {answer_of(timeline).at:.3f} s had {count(answer)}, offer had {count(offer)}: "
        f"`{kind}` is gone"
    )
    return answer_violation(timeline, cause, seen)


def answer_violation(timeline: Timeline, cause: str, seen: str) -> Violation:
    """A violation that quotes the answer and says whose doing it is, where that can be told."""
    answer = answer_of(timeline)
    return Violation(cause, seen + whose_doing(timeline, answer), (quote(answer),))


def whose_doing(timeline: Timeline, answer: AnswerReceived) -> str:
    """Who changed the answer, where both ends are seen."""
    made = [e for e in upstream_offers(timeline) if e.succeeded]
    if not made:
        return ""
    if made[0].body == answer.sdp:
        return " (the upstream sent it so)"
    return " (the upstream sent another answer: the relay changed it)"


def quote(answer: AnswerReceived) -> Evidence:
    """The answer's outline with its moment."""
    lines = parse_sdp(answer.sdp)
    return Evidence(answer.at, f"answer of {len(answer.sdp)} characters: {shape_text(lines)}")


def shape(description: SessionDescription) -> list[tuple[str, str | None]]:
    """(kind, mid) of each section: what an answer must mirror."""
    return [(section.kind, section.mid) for section in description.sections]


def shape_text(description: SessionDescription) -> str:
    """`m=audio 9 (mid 0), m=application 9 (mid 1)`."""
    return ", ".join(map(_section_text, description.sections)) or "no sections"


def _section_text(section: Section) -> str:
    return f"m={section.kind} {section.port}" + (f" (mid {section.mid})" if section.mid else "")


def count(description: SessionDescription) -> str:
    """`2 sections`."""
    number = len(description.sections)
    return f"{number} section{'' if number == 1 else 's'}"
