"""Firefox's offer: its lines in its order, which is that of their names."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence

from harness.core.sdp import Candidate
from harness.peer.offering import (
    DISCARD,
    SCTP_PORT,
    Offering,
    connection_line,
    default_of,
    joined,
    port_of,
    priority,
)

MESSAGE_SIZE = 1_073_741_823
EXTENSIONS = (
    "1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
    "3 urn:ietf:params:rtp-hdrext:sdes:mid",
    "7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
)


def at_once(offering: Offering) -> str:
    """As `createOffer` gives it."""
    return _written(offering, waited=False)


def gathered(offering: Offering) -> str:
    """As `localDescription` is once gathering is complete: names for addresses, and both components."""
    return _written(offering, waited=True)


def _written(offering: Offering, *, waited: bool) -> str:
    candidates = offering.candidates if waited else []
    of_rtcp = offering.spare_candidates(0, 2) if waited else []
    of_data = offering.spare_candidates(1, 2) if waited else []
    names = {c.address: f"{uuid.uuid4()}.local" for c in candidates if c.type == "host"}
    default = default_of([c for c in candidates if c.type != "host"])  # a name is nobody's default
    ended = ["a=end-of-candidates"] if waited else []
    session = [
        "v=0",
        f"o=mozilla...THIS_IS_SDPARTA-99.0 {secrets.randbits(63)} 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        *(["a=sendrecv"] if waited else []),
        f"a=fingerprint:sha-256 {offering.transport.fingerprint}",
        "a=group:BUNDLE 0 1",
        "a=ice-options:trickle",
        "a=msid-semantic:WMS *",
    ]
    audio = [
        f"m=audio {port_of(default)} UDP/TLS/RTP/SAVPF 109 9 0 8 101",
        connection_line(default),
        *_candidates(candidates, names),
        *_candidates(of_rtcp, names, component=2),
        "a=sendrecv",
        *ended,
        *(f"a=extmap:{extension}" for extension in EXTENSIONS),
        "a=extmap-allow-mixed",
        "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
        "a=fmtp:101 0-15",
        *_credentials(offering),
        "a=mid:0",
        f"a=msid:{{{offering.stream}}} {{{offering.track}}}",
        *(f"a=rtcp:{c.port} IN IP4 {names.get(c.address, c.address)}" for c in of_rtcp[:1]),
        *(f"a=rtcp-fb:{payload_type} transport-cc" for payload_type in (109, 9, 0, 8)),
        "a=rtcp-mux",
        "a=rtpmap:109 opus/48000/2",
        "a=rtpmap:9 G722/8000/1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        # The two texts differ: `createOffer` names the one channel, `localDescription` does not.
        "a=rtpmap:101 telephone-event/8000" + ("" if waited else "/1"),
        "a=setup:actpass",
        f"a=ssrc:{offering.ssrc} cname:{offering.cname}",
    ]
    data = [
        f"m=application {port_of(default)} UDP/DTLS/SCTP webrtc-datachannel",
        connection_line(default),
        *_candidates(of_data, names),
        "a=sendrecv",
        *ended,
        *_credentials(offering),
        "a=mid:1",
        "a=setup:actpass",
        f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{MESSAGE_SIZE}",
    ]
    return joined(session, audio, data)


def _candidates(candidates: Sequence[Candidate], names: dict[str, str], component: int = 1) -> list[str]:
    """All of UDP, then an active one of TCP for each host; their numbers are their foundations."""
    lines = []
    hosts = [c for c in candidates if c.type == "host"]
    for number, c in enumerate([*candidates, *hosts]):
        tcp = number >= len(candidates)
        value = priority(c, 125 if tcp else 126, number + 1) - (component - 1)
        if c.type == "host":
            where = f"{names[c.address]} {DISCARD if tcp else c.port} typ host"
        else:
            where = f"{c.address} {c.port} typ {c.type} raddr 0.0.0.0 rport 0"
        lines.append(
            f"a=candidate:{number} {component} {'TCP' if tcp else 'UDP'} {value} {where}"
            + (" tcptype active" if tcp else "")
        )
    return lines


def _credentials(offering: Offering) -> list[str]:
    return [f"a=ice-pwd:{offering.transport.pwd}", f"a=ice-ufrag:{offering.transport.ufrag}"]
