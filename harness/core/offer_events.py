"""What else was offered to see why an offer was refused, and what was spoken beside Opus."""

from __future__ import annotations

from harness.core.event import Event


class OtherCodecHeard(Event, frozen=True, kw_only=True):
    """The first packet of a codec that was negotiated and that we do not decode: `codec` as in a=rtpmap."""

    payload_type: int
    codec: str


class OfferTried(Event, frozen=True, kw_only=True):
    """A further offer, to find out why this call's was refused; a call that it made was hung up at once.

    `how` and `shape` are of `core.offer_shapes`; `change` says in words what differs from the shape's own
    offer: `lines` of it, from the line numbered `first_line` on, or where that is 0 lines that it lacks.
    `status` is the response's, with the beginning of its body; without an answer there is a `failure`.
    """

    shape: str
    how: str
    change: str = ""
    lines: tuple[str, ...] = ()
    first_line: int = 0
    characters: int = 0
    status: int | None = None
    body: str = ""
    failure: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the relay answered with success, and with SDP."""
        return not self.failure and self.status is not None and 200 <= self.status < 300
