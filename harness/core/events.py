"""What can happen in a call. Both ends record the same kinds; `side` says whose view it is.

Every event is frozen and carries `at`, in seconds since its timeline began. The tag `kind` names it in
JSON lines. Bodies and events are recorded after redaction.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from harness.core.arrivals import AnyArrival
from harness.core.channel_events import EventUnsent
from harness.core.event import Event as Event
from harness.core.event import Headers as Headers
from harness.core.event import Layer as Layer
from harness.core.event import Side as Side
from harness.core.event import kebab as kebab
from harness.core.light_events import StretchHeard
from harness.core.network_events import (
    CallLost,
    CallResumed,
    HerdCame,
    ImpairmentMeasured,
    NetworkImpaired,
    RelayRestarted,
)
from harness.core.offer_events import OfferTried, OtherCodecHeard
from harness.core.packet_events import PacketMalformed
from harness.core.usage_events import UsageTold

# --- the call and its plan --------------------------------------------------------------------------


class CallStarted(Event, frozen=True, kw_only=True):
    """The first line of a timeline. `origin` is the monotonic clock's value at `at` 0.

    `continues` is the call that this one was made in place of. `silent`: the target is not meant to be heard.
    """

    call: str
    scenario: str = ""
    started_at: str = ""
    origin: float = 0.0
    seed: int = 0
    harness: str = ""
    target: str = ""
    dialect: str = ""
    mode: Literal["embedded", "black-box", "grey-box"] = "embedded"
    limits: dict[str, float] = msgspec.field(default_factory=dict)
    ufrag: str = ""
    continues: str = ""
    silent: bool = False


class CallWithheld(Event, frozen=True, kw_only=True):
    """The call was planned and not placed, for its cost or else: its start and end alone stand beside."""

    reason: str
    for_cost: bool = True


class StepStarted(Event, frozen=True, kw_only=True):
    """The scenario asked the caller for something: `connect`, `say es-f-order`, …"""

    step: str


class StepEnded(Event, frozen=True, kw_only=True):
    """The step is over. `failed` is empty, or says why the plan could not go on."""

    step: str
    failed: str = ""


class WaitExpired(Event, frozen=True, kw_only=True):
    """The caller waited `within` seconds for `what`, and it did not come."""

    what: str
    within: float


class CallEnded(Event, frozen=True, kw_only=True):
    """The caller side: everything is cleaned up. The upstream side: the call was released there."""

    reason: str


class HarnessFailed(Event, frozen=True, kw_only=True):
    """We broke. Nothing that follows may be blamed on the target."""

    error: str
    where: str = ""


class PacingMeasured(Event, frozen=True, kw_only=True):
    """How late our own sender was against its 20 ms deadlines, in ms, over `packets` packets."""

    packets: int
    p50: float
    p99: float
    max: float


# --- signaling --------------------------------------------------------------------------------------


class OfferCreated(Event, frozen=True, kw_only=True):
    """The offer, as the peer made it, before a dialect wraps it; `shape` is a name of `core.offer_shapes`."""

    sdp: str
    shape: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a multipart body."""

    name: str
    body: str
    content_type: str | None = None
    filename: str | None = None


class HttpRequest(Event, frozen=True, kw_only=True):
    """The caller side: what we sent to the relay. The upstream side: what the relay sent on.

    `purpose` is what the request was for: `offer`, `preflight`, `bad-offer`, … (`core.probes`), and `case`
    which one of several. `body_base64` is set where the body is not UTF-8.
    """

    method: str
    url: str
    headers: Headers = ()
    body: str = ""
    body_base64: bool = False
    parts: tuple[Part, ...] = ()
    purpose: str = "offer"
    case: str = ""


class HttpResponse(Event, frozen=True, kw_only=True):
    """The answer to the request of the same side and purpose."""

    status: int
    headers: Headers = ()
    body: str = ""
    body_base64: bool = False
    purpose: str = "offer"


class HttpFailed(Event, frozen=True, kw_only=True):
    """No whole response: refused, unresolved, unanswered, tls; reached: timeout, unfinished, dropped, …"""

    failure: str
    detail: str = ""
    purpose: str = "offer"


class AnswerReceived(Event, frozen=True, kw_only=True):
    """The SDP taken out of the response by the dialect, byte for byte."""

    sdp: str


class AnswerRejected(Event, frozen=True, kw_only=True):
    """The peer could not apply the answer, as a browser's setRemoteDescription could not."""

    reason: str


# --- connectivity -----------------------------------------------------------------------------------


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


# --- data channel -----------------------------------------------------------------------------------


class ClientEvent(Event, frozen=True, kw_only=True):
    """An event from client to server: recorded when sent (caller) or received (upstream)."""

    event: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.event.get("type", ""))


class ServerEvent(Event, frozen=True, kw_only=True):
    """An event from server to client. `event` is None where the message was not a JSON object: see `raw`."""

    event: dict[str, Any] | None
    raw: str = ""
    size: int = 0

    @property
    def type(self) -> str:
        return str(self.event.get("type", "")) if self.event is not None else ""


class EventInvalid(Event, frozen=True, kw_only=True):
    """A server event that the official types do not accept: `type` as sent, `problem` in one line."""

    type: str
    problem: str
    unknown_type: bool = False


# --- media ------------------------------------------------------------------------------------------


class UtteranceStarted(Event, frozen=True, kw_only=True):
    """The first packet of a clip went out. `speech`: the clip's true speech, ms from the clip's start."""

    clip: str
    duration_ms: int
    speech: tuple[tuple[int, int], ...]
    transcript: str = ""
    muted: bool = False


class UtteranceEnded(Event, frozen=True, kw_only=True):
    """The last packet of a clip went out; `cut` when it was broken off."""

    clip: str
    cut: bool = False


class MicrophoneChanged(Event, frozen=True, kw_only=True):
    """Muted or unmuted: packets flow on, but carry silence while muted."""

    muted: bool


class SendingStarted(Event, frozen=True, kw_only=True):
    """The first RTP packet of the call went out: the zero of the server's audio clock."""

    ssrc: int


class Packet(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One RTP packet on arrival: seconds, RTP sequence and timestamp, payload bytes, level, full-scale part.

    `dbfs` is the decoded level, None where it was not decoded; `clipped` the part of samples at full scale.
    """

    at: float
    sequence: int
    timestamp: int
    size: int
    dbfs: float | None = None
    clipped: float = 0.0


class PacketsReceived(Event, frozen=True, kw_only=True):
    """Up to a second of one audio stream; `at` is the first packet's arrival."""

    ssrc: int
    packets: tuple[Packet, ...]


class ReceiverReport(Event, frozen=True, kw_only=True):
    """What the other end says it lost of our stream (RFC 3550, section 6.4): a part of 1, and in all."""

    fraction_lost: float
    lost: int
    jitter_ms: float
    round_trip_ms: float | None = None


class AudioPlayed(Event, frozen=True, kw_only=True):
    """The upstream played this much of a clip; recorded by the fake when the playout ended."""

    clip: str
    duration_ms: int
    played_ms: int
    transcript: str = ""


class AudioCompared(Event, frozen=True, kw_only=True):
    """What was heard against what the fake played: STOI, 0 to 1."""

    clip: str
    stoi: float


class MarkHeard(Event, frozen=True, kw_only=True):
    """A call's own tone was heard: `heard` and `expected` name marks, which follow from calls' ufrags."""

    heard: str
    expected: str


class SecretSeen(Event, frozen=True, kw_only=True):
    """A secret that the caller must never see came back: found before redaction, so `excerpt` is redacted.

    `where`: `response header x-debug`, `response body`, `answer`, `server event session.created`, …
    """

    where: str
    excerpt: str = ""


class UpstreamUnavailable(Event, frozen=True, kw_only=True):
    """The fake could not be asked for its view of the call."""

    reason: str


AnyEvent = (
    CallStarted
    | CallWithheld
    | StepStarted
    | StepEnded
    | WaitExpired
    | CallEnded
    | HarnessFailed
    | PacingMeasured
    | OfferCreated
    | OfferTried
    | OtherCodecHeard
    | HttpRequest
    | HttpResponse
    | HttpFailed
    | AnswerReceived
    | AnswerRejected
    | StateChanged
    | CandidateFound
    | IceServerTried
    | PairSelected
    | ChecksCounted
    | PacketMalformed
    | NetworkImpaired
    | ImpairmentMeasured
    | CallLost
    | CallResumed
    | HerdCame
    | RelayRestarted
    | ClientEvent
    | EventUnsent
    | ServerEvent
    | EventInvalid
    | UtteranceStarted
    | UtteranceEnded
    | MicrophoneChanged
    | SendingStarted
    | PacketsReceived
    | StretchHeard
    | ReceiverReport
    | AudioPlayed
    | AudioCompared
    | MarkHeard
    | SecretSeen
    | UpstreamUnavailable
    | AnyArrival
    | UsageTold
)
