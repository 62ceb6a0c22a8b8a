"""From candidates to an open data channel."""

from __future__ import annotations

from harness.core.events.base import Event, Layer


class StateChanged(Event, frozen=True, kw_only=True):
    """A layer reached a state, in W3C words.

    gathering: gathering, complete. ice: checking, connected, disconnected, failed, closed. dtls, sctp:
    connecting, connected, failed, closed. channel: connecting, open, closing, closed.
    """

    layer: Layer
    state: str
    detail: str = ""


class CandidateFound(Event, frozen=True, kw_only=True):
    """One of our own candidates: `type` is host, srflx or relay."""

    type: str
    protocol: str
    address: str
    port: int


class IceServerTried(Event, frozen=True, kw_only=True):
    """A STUN or TURN server was asked for a candidate. `error` is empty where it answered well.

    error: `timeout` (nothing came back), `unresolved: …`, `unreachable: …`, `certificate: …`, `tls: …`,
    `unusable: …` (no proper answer), or what the server said: `401 Unauthorized`, `486 …`. `gave`: its
    candidates, each `type address:port`, also where one of our host candidates is the same.
    """

    url: str
    error: str = ""
    took: float = 0.0
    gave: tuple[str, ...] = ()


class PairSelected(Event, frozen=True, kw_only=True):
    """ICE chose this pair of candidates, each written `type address:port`."""

    local: str
    remote: str


class ChecksCounted(Event, frozen=True, kw_only=True):
    """ICE connectivity checks so far: sent by us, answered; received from the other end, replied to."""

    sent: int
    answered: int
    refused: int = 0
    received: int = 0
    replied: int = 0


class PacketMalformed(Event, frozen=True, kw_only=True):
    """The other end sent over SCTP what its RFC does not allow; it was dropped. Once for each problem."""

    problem: str
