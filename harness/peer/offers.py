"""Offers in the shapes that browsers give them, by rule: their lines and order, our transport's parameters.

The rules are what Chromium 156.0.8078.108 and Firefox ESR 153.7.0 wrote in November 2026 for a page with one
microphone track and one data channel; `tests/peer/test_offers_of_browsers.py` holds them against the browsers
that are installed. Only an ice-ufrag is longer than Chromium's: it is the call's name.
"""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.core.chance import ALPHANUMERIC, letters
from harness.core.offer_shapes import CHROMIUM, FIREFOX, FIREFOX_GATHERED, LIBWEBRTC, MINIMAL
from harness.peer import offers_chromium, offers_firefox
from harness.peer.descriptions import write_offer
from harness.peer.offering import Offering

BASE64 = string.ascii_letters + string.digits + "+/"
HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Drawn:
    """What is drawn by chance, in a browser's alphabet and length. An empty cname is left to the sender."""

    ufrag: Callable[[], str]
    pwd: Callable[[], str]
    cname: Callable[[], str]


@dataclass(frozen=True)
class Shape:
    """How offers of one shape are written.

    `spare`: how many ports they name for each host address beside the one that is used.
    """

    write: Callable[[Offering], str]
    draw: Drawn
    spare: int = 0


def shape_named(name: str) -> Shape:
    """The shape of that name (`harness.core.offer_shapes`)."""
    return SHAPES[name]


def _minimal(offering: Offering) -> str:
    return write_offer(offering.transport, ssrc=offering.ssrc)


def _letters(alphabet: str, length: int) -> Callable[[], str]:
    return partial(letters, length, alphabet)


def _with_signs(length: int) -> Callable[[], str]:
    """Base64 with both signs that a careless form encoding loses; chance gives both to one in ten."""

    def draw() -> str:
        drawn = list(letters(length, BASE64))
        plus, slash = secrets.SystemRandom().sample(range(length), 2)
        drawn[plus], drawn[slash] = "+", "/"
        return "".join(drawn)

    return draw


_LIBWEBRTC = Drawn(_letters(BASE64, 8), _with_signs(24), _with_signs(16))
_FIREFOX = Drawn(_letters(HEX, 8), _letters(HEX, 32), lambda: f"{{{uuid.uuid4()}}}")
_OURS = Drawn(_letters(ALPHANUMERIC, 8), _letters(ALPHANUMERIC, 24), str)

SHAPES = {
    CHROMIUM: Shape(offers_chromium.at_once, _LIBWEBRTC),
    LIBWEBRTC: Shape(offers_chromium.gathered, _LIBWEBRTC, spare=1),
    FIREFOX: Shape(offers_firefox.at_once, _FIREFOX),
    FIREFOX_GATHERED: Shape(offers_firefox.gathered, _FIREFOX, spare=2),
    MINIMAL: Shape(_minimal, _OURS),
}
