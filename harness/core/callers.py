"""Who can make a call: one row for each kind of caller, with what it cannot do and cannot see, and why.

`harness.call.ends` opens a call's end by the row's name; requirements ask here what such an end sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verb = Literal[
    "be-named",
    "offer",
    "send",
    "mute",
    "send-nothing",
    "vanish",
    "impair",
    "rebind",
    "visit",
    "outlast-relay",
]
"""What may be asked of a caller, beyond what every kind does (connect, speak, hear, hang up).

be-named: have a name that is known before its offer is posted. offer: make offers that we post, with changes
of our own. send: client events of ours. mute: a muted track. send-nothing: no packet at all. vanish: be gone
without a goodbye. impair: loss, delay and blackouts of its packets. rebind: go on from another port. visit:
use a web page as its user would. outlast-relay: go on while the relay is restarted.
"""

View = Literal["offer", "candidates", "ice", "dtls", "sctp", "rtp", "events"]
"""What may be seen of a call, and not every kind of caller sees, or not through every target.

offer: offer and answer, whole. candidates: which were gathered, and from which server. ice, dtls: their
states. sctp: packets of the data channel. rtp: each audio packet, with its arrival. events: OpenAI's, which a
gateway may keep to itself.
"""


@dataclass(frozen=True)
class CallerKind:
    """A kind of caller. `cannot` and `unseen` give the reason, in words of its API or of an RFC.

    `schemes`: of the targets that it can call. `in_browser`: a browser is started for it.
    """

    name: str
    what: str
    cannot: Mapping[Verb, str] = field(default_factory=dict)
    unseen: Mapping[View, str] = field(default_factory=dict)
    schemes: tuple[str, ...] = ("http", "https")
    in_browser: bool = False


DEFAULT_CALLER = "aiortc"

_NO_PAGE = "no web page makes its calls: there is no button, and no user"

_IN_A_BROWSER: Mapping[View, str] = {
    "sctp": "the browser's SCTP is its own; a page sees messages (WebRTC, section 6)",
    "rtp": "the browser plays out decoded audio; a page sees counters (webrtc-stats, section 7)",
}

CALLERS: Mapping[str, CallerKind] = {
    kind.name: kind
    for kind in (
        CallerKind("aiortc", "the harness's own WebRTC end, in Python", cannot={"visit": _NO_PAGE}),
        CallerKind(
            "chromium",
            "the same steps in Chromium, on a page of ours",
            cannot={
                "visit": _NO_PAGE,
            },
            unseen=_IN_A_BROWSER,
            in_browser=True,
        ),
        CallerKind(
            "page",
            "your own web page, in Chromium",
            cannot={
                "be-named": "the page posts its own offer, whose ice-ufrag a browser draws (RFC 9429, 5.2.1)",
                "offer": "the page makes and posts its own offer",
                "send": "the page's events are its own",
                "mute": "the page's microphone is its own to mute",
                "send-nothing": "a browser goes on sending while a track is live (WebRTC, section 5.2)",
                "vanish": "a browser says goodbye when a tab is closed",
            },
            unseen=_IN_A_BROWSER,
            in_browser=True,
        ),
        CallerKind(
            "websocket",
            "PCM16 in events over a WebSocket, as a page without WebRTC speaks",
            cannot={
                "offer": "a WebSocket has no SDP: there is no offer to post (RFC 6455)",
                "impair": "what is lost below TCP is sent again by it: the network itself must be made bad "
                "(make transports)",
                "rebind": "a TCP connection keeps its port for life (RFC 9293, section 3.3.1)",
                "visit": _NO_PAGE,
                "outlast-relay": "a WebSocket goes through the relay, and ends with it",
            },
            unseen={
                "offer": "a WebSocket has no SDP",
                "candidates": "a WebSocket has no ICE",
                "ice": "a WebSocket has no ICE",
                "dtls": "a WebSocket has no DTLS",
                "sctp": "events come in messages, not over SCTP",
                "rtp": "audio comes in events, not over RTP",
            },
            schemes=("ws", "wss"),
        ),
    )
}


def caller_named(name: str) -> CallerKind:
    """The row of that name; a timeline of before there were kinds names none."""
    return CALLERS[name or DEFAULT_CALLER]
