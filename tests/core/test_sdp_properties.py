"""SDP as anyone may write it: whatever comes is read, and what is well written is read back."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.sdp import Candidate, Codec, SessionDescription, parse_sdp
from tests.core.test_sdp import OFFER


def everything(sdp: SessionDescription) -> list[object]:
    """All that a description can be asked."""
    found: list[object] = [
        sdp.is_sdp,
        sdp.ice_ufrag,
        sdp.ice_lite,
        sdp.bundle,
        sdp.bare_line_feeds,
        sdp.ends_with_newline,
        sdp.section("audio"),
    ]
    for s in sdp.sections:
        found += [s.rejected, s.mid, s.direction, s.setup, s.ice_ufrag, s.ice_pwd, s.fingerprints]
        found += [s.candidates, s.codecs, s.codec("opus"), s.sctp_port, s.max_message_size]
    return found


_values = st.text(max_size=12) | st.sampled_from(
    ["9", "0", "²", "9" * 5000, "1 1 udp 1 ::1 9 typ host", "96 opus/48000/2", "BUNDLE 0 1", "sha-256 AA"]
)
_names = st.sampled_from(
    [
        *("candidate", "rtpmap", "fmtp", "mid", "group", "fingerprint", "setup", "ice-ufrag", "ice-pwd"),
        *("sctp-port", "sctpmap", "max-message-size", "bundle-only", "sendonly", "ice-lite"),
    ]
)
_lines = st.one_of(
    st.text(max_size=20),
    st.tuples(_names, _values).map(lambda pair: f"a={pair[0]}:{pair[1]}"),
    _names.map(lambda name: f"a={name}"),
    st.lists(_values, max_size=6).map(lambda words: "m=" + " ".join(words)),
    st.sampled_from(OFFER.split("\r\n")),
)


@given(text=st.text() | st.lists(_lines, max_size=12).map("\r\n".join))
def test_whatever_comes_is_read_without_an_exception_and_kept_as_it_came(text: str) -> None:
    sdp = parse_sdp(text)
    everything(sdp)
    assert sdp.text == text


@given(cut=st.integers(0, len(OFFER)), noise=st.text(max_size=5))
def test_an_offer_broken_anywhere_is_still_read(cut: int, noise: str) -> None:
    everything(parse_sdp(OFFER[:cut] + noise + OFFER[cut + len(noise) :]))


_token = st.from_regex(r"[A-Za-z0-9+/_.-]{1,12}", fullmatch=True)
_number = st.integers(0, 65535)


@dataclass(frozen=True)
class Written:
    """A media section as a test writes it, to compare with what is read."""

    kind: str
    port: int
    protocol: str
    mid: str
    direction: str
    setup: str
    ufrag: str
    pwd: str
    fingerprints: list[tuple[str, str]]
    codecs: list[Codec]
    candidates: list[Candidate]
    sctp_port: int
    max_message_size: int
    unknown: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        lines = [
            f"m={self.kind} {self.port} {self.protocol} {' '.join(str(c.payload_type) for c in self.codecs)}",
            f"a=mid:{self.mid}",
            f"a={self.direction}",
            f"a=setup:{self.setup}",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=sctp-port:{self.sctp_port}",
            f"a=max-message-size:{self.max_message_size}",
            *(f"a=x-{name}" for name in self.unknown),
            *(f"a=fingerprint:{name} {digest}" for name, digest in self.fingerprints),
        ]
        for c in self.codecs:
            lines.append(f"a=rtpmap:{c.payload_type} {c.name}/{c.clock_rate}/{c.channels}")
            lines += [f"a=fmtp:{c.payload_type} {c.parameters}"] if c.parameters else []
        for d in self.candidates:
            lines.append(
                f"a=candidate:{d.foundation} {d.component} {d.protocol} {d.priority} {d.address} {d.port} "
                f"typ {d.type}" + (f" tcptype {d.tcp_type}" if d.tcp_type else "")
            )
        return lines


_codecs = st.lists(
    st.builds(
        Codec,
        payload_type=st.integers(0, 127),
        name=st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True),
        clock_rate=st.integers(1, 192_000),
        channels=st.integers(1, 8),
        parameters=st.from_regex(r"([a-z]{1,9}=[0-9]{1,3}(;[a-z]{1,9}=[0-9]{1,3})?)?", fullmatch=True),
    ),
    max_size=4,
    unique_by=lambda codec: codec.payload_type,
)
_candidates = st.lists(
    st.builds(
        Candidate,
        foundation=_token,
        component=st.integers(1, 256),
        protocol=st.sampled_from(["udp", "tcp"]),
        priority=st.integers(1, 2**31 - 1),
        address=(st.ip_addresses().map(str) | st.just("f81d4fae-7dec.local")),
        port=_number,
        type=st.sampled_from(["host", "srflx", "prflx", "relay"]),
        tcp_type=st.none() | st.sampled_from(["active", "passive", "so"]),
    ),
    max_size=4,
)
_sections = st.builds(
    Written,
    kind=st.sampled_from(["audio", "video", "application"]),
    port=_number,
    protocol=_token,
    mid=_token,
    direction=st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
    setup=st.sampled_from(["active", "passive", "actpass", "holdconn"]),
    ufrag=_token,
    pwd=_token,
    fingerprints=st.lists(st.tuples(st.sampled_from(["sha-1", "sha-256"]), _token), max_size=2),
    codecs=_codecs,
    candidates=_candidates,
    sctp_port=_number,
    max_message_size=st.integers(0, 2**32),
    unknown=st.lists(_token, max_size=2),
)


@settings(max_examples=40)
@given(sections=st.lists(_sections, max_size=3), ending=st.sampled_from(["\r\n", "\n", "\r"]))
def test_what_was_written_is_read_back_whatever_ends_its_lines(sections: list[Written], ending: str) -> None:
    bundle = " ".join(section.mid for section in sections)
    lines = ["v=0", "s=-", f"a=group:BUNDLE {bundle}", *(line for s in sections for line in s.lines())]
    sdp = parse_sdp(ending.join([*lines, ""]))
    assert sdp.is_sdp
    assert sdp.bundle == tuple(section.mid for section in sections)
    assert sdp.ice_ufrag == next((section.ufrag for section in sections), None)
    assert sdp.bare_line_feeds == (len(lines) if ending == "\n" else 0)
    assert len(sdp.sections) == len(sections)
    for written, read in zip(sections, sdp.sections, strict=True):
        assert (read.kind, read.port, read.protocol) == (written.kind, written.port, written.protocol)
        assert read.formats == tuple(str(codec.payload_type) for codec in written.codecs)
        assert (read.mid, read.direction, read.setup) == (written.mid, written.direction, written.setup)
        assert (read.ice_ufrag, read.ice_pwd) == (written.ufrag, written.pwd)
        assert read.fingerprints == written.fingerprints
        assert read.codecs == written.codecs
        assert read.candidates == written.candidates
        assert (read.sctp_port, read.max_message_size) == (written.sctp_port, written.max_message_size)
        assert all(read.attribute(f"x-{name}") == "" for name in written.unknown)
        assert read.rejected == (written.port == 0)
