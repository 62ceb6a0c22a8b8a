"""Over HTTP: the offer, the requests and responses at both ends, the answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.core.events.base import Event, Headers


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


class GatewayFound(Event, frozen=True, kw_only=True):
    """The far end of the caller's WebRTC is the relay's own, which has a call of its own `upstream`.

    `ufrag` is that of the far end's answer, which the upstream never wrote. `mark`: by what the upstream's
    call is known to be this one's.
    """

    upstream: Literal["websocket", "webrtc"]
    ufrag: str = ""
    mark: str = ""


class CallMarked(Event, frozen=True, kw_only=True):
    """The caller's own tone came through to the upstream: `call` is the upstream call that heard it.

    `call` is empty where none did in the time that the caller gave it.
    """

    mark: str
    call: str = ""


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
