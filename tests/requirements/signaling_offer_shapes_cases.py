"""What provokes each cause in how the relay reads a browser's offer."""

from __future__ import annotations

from harness.core.events import OfferTried
from harness.core.offer_shapes import (
    AGAIN,
    CANDIDATES,
    CHROMIUM,
    CODECS,
    LINES,
    MINIMAL,
    NO_CANDIDATE,
    OTHER_SHAPE,
    SEVERAL,
    SMALLEST,
    SMALLEST_AS_LONG,
)
from tests.requirements.cases import case
from tests.requirements.signaling_building import Events, refused

ID = "signaling.offer-shape-accepted"
INVALID = '{"error": {"message": "the offer is invalid"}}'
EXTENSION = "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"


def tried(how: str, accepted: bool, shape: str = CHROMIUM, change: str = "", *lines: str) -> OfferTried:
    """One more offer, and what came of it."""
    status, body = (200, "") if accepted else (400, INVALID)
    return OfferTried(
        at=0.5,
        shape=shape,
        how=how,
        change=change,
        lines=lines,
        first_line=17 if lines else 0,
        characters=1663,
        status=status,
        body=body,
    )


def examined(*more: OfferTried) -> Events:
    """The relay refuses the call's offer, and the same once more."""
    *events, ended = refused(400, INVALID)
    return [*events, tried(AGAIN, accepted=False), *more, ended]


def smallest_passes(*more: OfferTried) -> Events:
    """Whatever its length."""
    return examined(tried(SMALLEST_AS_LONG, accepted=True, shape=MINIMAL), *more)


@case(ID, "offer-too-long")
def length_limited() -> Events:
    return examined(
        tried(SMALLEST_AS_LONG, accepted=False, shape=MINIMAL), tried(SMALLEST, accepted=True, shape=MINIMAL)
    )


@case(ID, "candidate-demanded")
def candidate_demanded() -> Events:
    return smallest_passes(tried(NO_CANDIDATE, True, CHROMIUM, "with a candidate", "a=candidate:1 1 udp"))


@case(ID, "candidate-refused")
def candidate_refused() -> Events:
    return smallest_passes(
        tried(NO_CANDIDATE, accepted=False),
        tried(CANDIDATES, True, CHROMIUM, "without TCP candidates", "a=candidate:1 1 tcp"),
    )


@case(ID, "codecs-refused")
def codecs_refused() -> Events:
    return smallest_passes(tried(CODECS, True, CHROMIUM, "with Opus alone", "a=rtpmap:63 red/48000/2"))


@case(ID, "line-refused")
def line_refused() -> Events:
    return smallest_passes(
        tried(OTHER_SHAPE, accepted=True, shape="firefox"),
        tried(LINES, True, CHROMIUM, "without a=extmap", EXTENSION),
    )


@case(ID, "shape-refused")
def several_lines_refused() -> Events:
    return smallest_passes(
        tried(LINES, False, CHROMIUM, "without a=extmap", EXTENSION),
        tried(SEVERAL, True, CHROMIUM, "without a=extmap and without a=rtcp-fb", EXTENSION),
    )


@case(ID, "shape-refused")
def no_line_makes_the_difference() -> Events:
    return smallest_passes(tried(LINES, False, CHROMIUM, "without a=extmap", EXTENSION))


@case(ID, "shape-refused")
def the_line_was_not_searched_for() -> Events:
    return smallest_passes()
