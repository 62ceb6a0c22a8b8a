"""Writing offers as a browser does (RFC 9429)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from harness.core.sdp import Candidate
from harness.peer.written import Described

OPUS_FMTP = "minptime=10;useinbandfec=1"
DEFAULT_OPUS_PAYLOAD_TYPE = 111
SCTP_PORT = 5000


def write_offer(transport: Described, *, ssrc: int) -> str:
    """An offer with one audio and one data section, bundled, with the candidates gathered so far."""
    stream, track = f"stream-{ssrc:x}", f"microphone-{ssrc:x}"
    port = _default_port(transport)
    return _joined(
        _session_lines(("0", "1"), f" {stream}"),
        [
            f"m=audio {port} UDP/TLS/RTP/SAVPF {DEFAULT_OPUS_PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            *_candidate_lines(transport.candidates),
            *_transport_lines(transport, "actpass"),
            "a=mid:0",
            "a=sendrecv",
            f"a=msid:{stream} {track}",
            *_opus_lines(DEFAULT_OPUS_PAYLOAD_TYPE),
            f"a=ssrc:{ssrc} cname:{stream}",
            f"a=ssrc:{ssrc} msid:{stream} {track}",
        ],
        [
            f"m=application {port} UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0",
            *_candidate_lines(transport.candidates),
            *_transport_lines(transport, "actpass"),
            "a=mid:1",
            *_data_lines(transport),
        ],
    )


def _session_lines(mids: Iterable[str], stream: str) -> list[str]:
    return [
        "v=0",
        f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=extmap-allow-mixed",
        f"a=msid-semantic: WMS{stream}",
    ]


def _transport_lines(transport: Described, setup: str) -> list[str]:
    return [
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        f"a=setup:{setup}",
    ]


def _opus_lines(payload_type: int) -> list[str]:
    return [
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{payload_type} opus/48000/2",
        f"a=fmtp:{payload_type} {OPUS_FMTP}",
    ]


def _data_lines(transport: Described) -> list[str]:
    return [f"a=sctp-port:{SCTP_PORT}", f"a=max-message-size:{transport.max_message_size}"]


def _candidate_lines(candidates: Iterable[Candidate]) -> list[str]:
    return [
        f"a=candidate:{c.foundation} {c.component} {c.protocol} {c.priority}"
        f" {c.address} {c.port} typ {c.type}"
        + (f" tcptype {c.tcp_type}" if c.tcp_type else "")
        + (" raddr 0.0.0.0 rport 0" if c.type != "host" else "")
        for c in candidates
    ]


def _default_port(transport: Described) -> int:
    candidates = transport.candidates
    return candidates[0].port if candidates else 9  # RFC 8839, section 4.1.1.1: 9 is the port of none


def _joined(*sections: Iterable[str]) -> str:
    return "".join(f"{line}\r\n" for section in sections for line in section)
