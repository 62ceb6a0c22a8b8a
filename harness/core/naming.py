"""What a call is called at both ends."""

from __future__ import annotations

from harness.core.events import CallStarted, OfferCreated
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline


def name_of(timeline: Timeline) -> str:
    """The call's name: known when it began, or from the offer that a page of its own made; else empty."""
    started = timeline.first(CallStarted)
    if started is not None and started.ufrag:
        return started.ufrag
    offer = timeline.first(OfferCreated)
    return (parse_sdp(offer.sdp).ice_ufrag or "") if offer is not None else ""
