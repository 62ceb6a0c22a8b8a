"""The answer to an offer, line by line as api.openai.com writes it (answers of April and August 2026)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from harness.core.clock import unix_time
from harness.core.sdp import Candidate, Codec, Section, SessionDescription
from harness.peer.written import Described

OPUS_FMTP = "minptime=10;useinbandfec=1"
STREAM, TRACK = "realtimeapi", "audio"
SCTP_PORT = 5000
LONGEST_MESSAGE = 1073741823
DISCARD_PORT = 9  # RFC 8840, section 4.1.1: the addresses stand in the candidates
TCP_PORT, TCP_PRIORITY = 443, 1671430143
G711 = {"pcmu": "PCMU/8000", "pcma": "PCMA/8000"}


def write_answer(offer: SessionDescription, transport: Described, *, ssrc: int, setup: str = "active") -> str:
    """A section for each of the offer's, in its order; those that cannot be served are rejected.

    `setup`: passive where the offer's end wants to begin the handshake itself.
    """
    accepted = [s.mid or str(i) for i, s in enumerate(offer.sections) if _servable(s)]
    sections = []
    for index, section in enumerate(offer.sections):
        mid = section.mid or str(index)
        if not _servable(section):
            sections.append(_rejected(section, mid))
        elif section.kind == "audio":
            sections.append(_audio(section, mid, transport, setup, ssrc))
        else:
            sections.append(_data(mid, transport, setup))
    mixed = ["a=extmap-allow-mixed"] if "a=extmap-allow-mixed" in offer.session_lines else []
    session = [
        "v=0",
        f"o=- {secrets.randbits(62)} {unix_time()} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=msid-semantic:WMS *",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        *(["a=ice-lite"] if transport.lite else []),  # RFC 8839, section 5.3: session level only
        *mixed,
        f"a=group:BUNDLE {' '.join(accepted)}",
    ]
    return "".join(f"{line}\r\n" for lines in (session, *sections) for line in lines)


def _servable(section: Section) -> bool:
    if section.rejected:
        return False
    return section.kind == "application" or (section.kind == "audio" and section.codec("opus") is not None)


def answered_codecs(section: Section) -> list[Codec]:
    """Those of an offer's audio that the answer takes, in its order: Opus, PCMU and PCMA, once each."""
    found: dict[str, Codec] = {}
    for codec in section.codecs:
        if codec.name == "opus" or (codec.name in G711 and codec.clock_rate == 8000):
            found.setdefault(codec.name, codec)
    return list(found.values())


def _audio(section: Section, mid: str, transport: Described, setup: str, ssrc: int) -> list[str]:
    codecs = answered_codecs(section)
    # RFC 3264, section 6.1: what they only send we only receive, and the reverse.
    mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}
    return [
        f"m=audio {DISCARD_PORT} UDP/TLS/RTP/SAVPF {' '.join(str(c.payload_type) for c in codecs)}",
        "c=IN IP4 0.0.0.0",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        *_credentials(transport),
        "a=rtcp-mux",
        "a=rtcp-rsize",
        *(line for codec in codecs for line in _codec_lines(codec)),
        f"a=ssrc:{ssrc} cname:{STREAM}",
        f"a=ssrc:{ssrc} msid:{STREAM} {TRACK}",
        f"a=ssrc:{ssrc} mslabel:{STREAM}",
        f"a=ssrc:{ssrc} label:{TRACK}",
        f"a=msid:{STREAM} {TRACK}",
        f"a={mirrored.get(section.direction, section.direction)}",
        *_candidate_lines(transport.candidates, transport.ufrag),
    ]


def _codec_lines(codec: Codec) -> list[str]:
    number = codec.payload_type
    if codec.name in G711:
        return [f"a=rtpmap:{number} {G711[codec.name]}"]
    return [f"a=rtpmap:{number} opus/48000/2", f"a=fmtp:{number} {OPUS_FMTP}"]


def _data(mid: str, transport: Described, setup: str) -> list[str]:
    return [
        f"m=application {DISCARD_PORT} UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        "a=sendrecv",
        f"a=sctp-port:{SCTP_PORT}",
        f"a=max-message-size:{LONGEST_MESSAGE}",
        *_credentials(transport),
    ]


def _rejected(section: Section, mid: str) -> list[str]:
    formats = " ".join(section.formats) or "0"
    return [
        f"m={section.kind} 0 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        "a=inactive",
    ]


def _credentials(transport: Described) -> list[str]:
    return [f"a=ice-ufrag:{transport.ufrag}", f"a=ice-pwd:{transport.pwd}"]


def _candidate_lines(candidates: Iterable[Candidate], ufrag: str) -> list[str]:
    """Each UDP candidate, and a TCP one at its address, at which the fake, unlike OpenAI, does not listen."""
    lines = []
    for c in candidates:
        lines.append(
            f"a=candidate:{c.foundation} {c.component} {c.protocol} {c.priority}"
            f" {c.address} {c.port} typ {c.type} ufrag {ufrag}"
        )
        lines.append(
            f"a=candidate:{c.foundation}1 {c.component} tcp {TCP_PRIORITY}"
            f" {c.address} {TCP_PORT} typ host tcptype passive ufrag {ufrag}"
        )
    return lines
