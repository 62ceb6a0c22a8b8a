"""Relays that read the offer: each takes one browser's and trips over another's."""

from __future__ import annotations

from harness.core.offer_shapes import CHROMIUM, FIREFOX, FIREFOX_GATHERED, LIBWEBRTC
from tests.system.conversations import connects
from tests.system.planted import Planted, relay

SHAPE = "signaling.offer-shape-accepted"


def reads(fault: str, cause: str, offer: str) -> Planted:
    """It refuses this browser's offer, and whatever else has the same line."""
    return relay(fault, f"{SHAPE}: {cause}", connects, offer=offer, lasting=True)


def rewrites(fault: str, cause: str, offer: str) -> Planted:
    """It forwards another offer than it got."""
    return relay(fault, f"signaling.offer-forwarded-intact: {cause}", connects, offer=offer)


PLANTED = [
    reads("offer-length-limited=1500", "offer-too-long", CHROMIUM),
    reads("offer-length-limited=2000", "offer-too-long", FIREFOX_GATHERED),
    reads("candidate-demanded", "candidate-demanded", CHROMIUM),
    reads("candidate-demanded", "candidate-demanded", FIREFOX),
    reads("candidate-refused=tcp", "candidate-refused", LIBWEBRTC),
    reads("candidate-refused=ipv6", "candidate-refused", LIBWEBRTC),
    reads("candidate-refused=local", "candidate-refused", FIREFOX_GATHERED),
    reads("candidate-refused=rtcp", "candidate-refused", FIREFOX_GATHERED),
    reads("candidate-refused=capitals", "candidate-refused", FIREFOX_GATHERED),
    reads("codec-demanded=one", "codecs-refused", CHROMIUM),
    reads("codec-demanded=111", "codecs-refused", FIREFOX),
    reads("line-refused=extmap", "line-refused", CHROMIUM),
    reads("line-refused=rtcp-xr", "line-refused", LIBWEBRTC),
    reads("line-refused=end-of-candidates", "line-refused", FIREFOX_GATHERED),
    reads("line-refused-as-success", "line-refused", CHROMIUM),
    reads("line-refused=extmap+rtcp-fb", "shape-refused", CHROMIUM),
    rewrites("candidates-filtered=tcp", "candidates-stripped", LIBWEBRTC),
    rewrites("candidates-filtered=ipv6", "candidates-stripped", LIBWEBRTC),
    rewrites("lines-dropped=ssrc", "offer-mutated", CHROMIUM),
    rewrites("lines-dropped=extmap+rtcp-fb", "offer-mutated", FIREFOX),
    rewrites("lines-reordered", "offer-mutated", LIBWEBRTC),
]
