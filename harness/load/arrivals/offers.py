"""Offers from a prepared text: in a browser's shape, each with credentials of its own."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from harness.core.offer_shapes import FIREFOX
from harness.peer.offering import Offering
from harness.peer.offers import BASE64, HEX, shape_named
from harness.peer.written import WrittenTransport, drawn_fingerprint

# By this a fake that also carries calls tells these offers from others (`answers_only_ufrags`).
PREFIX = "ad0"

UFRAG, PWD, FINGERPRINT, SESSION = "{ufrag}", "{pwd}", "{fingerprint}", "{session}"
SSRC_BITS = 32


@dataclass(frozen=True)
class PreparedOffer:
    """One offer, and the credentials that it names."""

    sdp: str
    ufrag: str
    pwd: str


class PreparedOffers:
    """Offers of one shape, as many as are asked for. No socket, key or certificate is behind any."""

    def __init__(self, shape: str, rng: random.Random) -> None:
        draw = shape_named(shape).draw
        self._rng = rng
        self._letters = HEX if shape.startswith(FIREFOX) else BASE64
        self._ufrag, self._pwd = len(draw.ufrag()) - len(PREFIX), len(draw.pwd())
        offering = Offering(
            WrittenTransport(UFRAG, PWD, FINGERPRINT),
            ssrc=rng.getrandbits(SSRC_BITS) | 1,
            cname=draw.cname(),
            spare=tuple(range(50_001, 50_001 + shape_named(shape).spare)),
        )
        text = shape_named(shape).write(offering)
        text = re.sub(r"(?m)^(o=\S+ )\d+", rf"\g<1>{SESSION}", text, count=1)
        self._pieces = re.split(f"({'|'.join(map(re.escape, (UFRAG, PWD, FINGERPRINT, SESSION)))})", text)

    def draw(self) -> PreparedOffer:
        """The next one."""
        rng = self._rng
        ufrag = PREFIX + "".join(rng.choices(self._letters, k=self._ufrag))
        pwd = "".join(rng.choices(self._letters, k=self._pwd))
        own = {
            UFRAG: ufrag,
            PWD: pwd,
            FINGERPRINT: drawn_fingerprint(rng),
            SESSION: str(rng.getrandbits(62)),
        }
        return PreparedOffer("".join([own.get(piece, piece) for piece in self._pieces]), ufrag, pwd)
