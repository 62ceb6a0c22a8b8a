"""Chromium's offer, and that of whatever else is libwebrtc: its lines in its order."""

from __future__ import annotations

import secrets
import zlib
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

MESSAGE_SIZE = 262_144

# Payload type, encoding, and the lines that follow it.
CODECS: Sequence[tuple[int, str, tuple[str, ...]]] = (
    (111, "opus/48000/2", ("rtcp-fb:111 transport-cc", "fmtp:111 minptime=10;useinbandfec=1")),
    (63, "red/48000/2", ("fmtp:63 111/111",)),
    (9, "G722/8000", ()),
    (0, "PCMU/8000", ()),
    (8, "PCMA/8000", ()),
    (13, "CN/8000", ()),
    (110, "telephone-event/48000", ()),
    (126, "telephone-event/8000", ()),
)
EXTENSIONS = (
    "1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "4 urn:ietf:params:rtp-hdrext:sdes:mid",
)
FORMATS = " ".join(str(payload_type) for payload_type, *_ in CODECS)


def at_once(offering: Offering) -> str:
    """As `createOffer` gives it."""
    return _written(offering, [], [])


def gathered(offering: Offering) -> str:
    """As `localDescription` is once gathering is complete: a port and candidates for each section."""
    return _written(offering, offering.candidates, offering.spare_candidates())


def _written(offering: Offering, of_audio: Sequence[Candidate], of_data: Sequence[Candidate]) -> str:
    session = [
        "v=0",
        f"o=- {secrets.randbits(63)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=extmap-allow-mixed",
        f"a=msid-semantic: WMS {offering.stream}",
    ]
    codecs: list[str] = []
    for payload_type, encoding, lines in CODECS:
        codecs += [f"a=rtpmap:{payload_type} {encoding}", *(f"a={line}" for line in lines)]
    audio = [
        f"m=audio {port_of(default_of(of_audio))} UDP/TLS/RTP/SAVPF {FORMATS}",
        connection_line(default_of(of_audio)),
        f"a=rtcp:{DISCARD} IN IP4 0.0.0.0",
        *_candidates(of_audio),
        *_transport(offering),
        "a=mid:0",
        *(f"a=extmap:{extension}" for extension in EXTENSIONS),
        "a=sendrecv",
        f"a=msid:{offering.stream} {offering.track}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtcp-xr:rcvr-rtt=all",
        *codecs,
        f"a=ssrc:{offering.ssrc} cname:{offering.cname}",
        f"a=ssrc:{offering.ssrc} msid:{offering.stream} {offering.track}",
    ]
    data = [
        f"m=application {port_of(default_of(of_data))} UDP/DTLS/SCTP webrtc-datachannel",
        connection_line(default_of(of_data)),
        *_candidates(of_data),
        *_transport(offering),
        "a=mid:1",
        f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{MESSAGE_SIZE}",
    ]
    return joined(session, audio, data)


def _candidates(candidates: Sequence[Candidate]) -> list[str]:
    """All of UDP, then an active one of TCP for each host."""
    hosts = [c for c in candidates if c.type == "host"]
    networks = {address: number for number, address in enumerate(dict.fromkeys(c.address for c in hosts), 1)}
    lines = []
    for c in candidates:
        network = networks.get(c.address, 1)
        related = "" if c.type == "host" else " raddr 0.0.0.0 rport 0"
        lines.append(
            f"a=candidate:{_foundation(c, 'udp')} 1 udp {priority(c, 126, network)} {c.address} {c.port}"
            f" typ {c.type}{related} generation 0 network-id {network}"
        )
    for c in hosts:
        network = networks[c.address]
        lines.append(
            f"a=candidate:{_foundation(c, 'tcp')} 1 tcp {priority(c, 90, network)} {c.address} {DISCARD}"
            f" typ host tcptype active generation 0 network-id {network}"
        )
    return lines


def _foundation(candidate: Candidate, protocol: str) -> int:
    return zlib.crc32(f"{candidate.type} {protocol} {candidate.address}".encode())


def _transport(offering: Offering) -> list[str]:
    transport = offering.transport
    return [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        "a=setup:actpass",
    ]
