import pytest

from harness.core.sdp import Candidate, Codec, parse_sdp

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 3724394400 3724394400 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=msid-semantic:WMS *",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96 0 63",
        "c=IN IP4 0.0.0.0",
        "a=sendrecv",
        "a=mid:0",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:96 minptime=10;useinbandfec=1",
        "a=candidate:6815297761 1 udp 2130706431 192.0.2.7 54321 typ host",
        "a=candidate:1 1 TCP 1518280447 2001:db8::7 9 typ host tcptype active generation 0",
        "a=end-of-candidates",
        "a=ice-ufrag:Zyx9",
        "a=ice-pwd:abcdefghijklmnopqrstuv",
        "a=fingerprint:SHA-256 AA:BB:CC ",
        "a=setup:actpass",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:1",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "",
    )
)


def media(*lines: str, m: str = "audio 9 UDP/TLS/RTP/SAVPF 96", session: tuple[str, ...] = ()) -> str:
    return "\r\n".join(("v=0", *session, f"m={m}", *lines, ""))


# --- an offer as browsers write it ---


def test_an_offer_is_read_section_by_section() -> None:
    sdp = parse_sdp(OFFER)
    assert sdp.is_sdp
    assert sdp.text == OFFER
    assert [section.kind for section in sdp.sections] == ["audio", "application"]
    assert sdp.bundle == ("0", "1")
    assert sdp.ice_ufrag == "Zyx9"
    assert not sdp.ice_lite
    assert sdp.ends_with_newline
    assert sdp.bare_line_feeds == 0
    assert sdp.section("video") is None


def test_an_audio_section_says_how_to_reach_it_and_what_it_speaks() -> None:
    audio = parse_sdp(OFFER).section("audio")
    assert audio is not None
    assert (audio.port, audio.protocol, audio.formats) == (9, "UDP/TLS/RTP/SAVPF", ("96", "0", "63"))
    assert (audio.mid, audio.direction, audio.setup) == ("0", "sendrecv", "actpass")
    assert (audio.ice_ufrag, audio.ice_pwd) == ("Zyx9", "abcdefghijklmnopqrstuv")
    assert audio.fingerprints == [("sha-256", "AA:BB:CC")]
    assert audio.attribute("end-of-candidates") == ""
    assert not audio.rejected
    assert audio.codecs == [
        Codec(96, "opus", 48000, 2, "minptime=10;useinbandfec=1"),
        Codec(0, "pcmu", 8000),
        Codec(63, "red", 48000, 2),
    ]
    assert audio.codec("OPUS") == audio.codecs[0]
    assert audio.codec("g722") is None
    assert audio.sctp_port is None


def test_candidates_are_read_with_their_tcp_type() -> None:
    audio = parse_sdp(OFFER).section("audio")
    assert audio is not None
    assert audio.candidates == [
        Candidate("6815297761", 1, "udp", 2130706431, "192.0.2.7", 54321, "host"),
        Candidate("1", 1, "tcp", 1518280447, "2001:db8::7", 9, "host", "active"),
    ]
    assert str(audio.candidates[0]) == "host udp 192.0.2.7:54321"


def test_an_application_section_says_where_sctp_is_and_how_large_a_message_may_be() -> None:
    data = parse_sdp(OFFER).section("application")
    assert data is not None
    assert (data.formats, data.sctp_port, data.max_message_size) == (("webrtc-datachannel",), 5000, 262144)


# --- what clauses say ---


@pytest.mark.parametrize(
    ("m", "lines", "rejected"),
    [
        ("audio 0 UDP/TLS/RTP/SAVPF 96", (), True),
        ("audio 9 UDP/TLS/RTP/SAVPF 96", (), False),
        ("audio 0 UDP/TLS/RTP/SAVPF 96", ("a=bundle-only",), False),
        ("audio ? UDP/TLS/RTP/SAVPF 96", (), False),
    ],
)
def test_port_zero_rejects_a_section_unless_it_is_bundle_only(
    m: str, lines: tuple[str, ...], rejected: bool
) -> None:
    assert parse_sdp(media(*lines, m=m)).sections[0].rejected is rejected


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly", "recvonly", "inactive"])
def test_a_direction_of_the_section_goes_over_that_of_the_session(direction: str) -> None:
    other = "a=inactive" if direction != "inactive" else "a=sendonly"
    assert parse_sdp(media(f"a={direction}", session=(other,))).sections[0].direction == direction
    assert parse_sdp(media(session=(f"a={direction}",))).sections[0].direction == direction


def test_without_a_direction_a_section_sends_and_receives() -> None:
    assert parse_sdp(media("a=sendonlyish", "a=x:sendonly")).sections[0].direction == "sendrecv"


def test_a_section_takes_from_the_session_what_it_does_not_say_itself() -> None:
    session = ("a=ice-lite", "a=setup:passive", "a=fingerprint:sha-256 AA", "a=ice-ufrag:session")
    sdp = parse_sdp(media("a=setup:active", session=session))
    assert sdp.ice_lite
    assert sdp.ice_ufrag == "session"
    assert sdp.sections[0].setup == "active"
    assert sdp.sections[0].fingerprints == [("sha-256", "AA")]


def test_candidates_belong_to_a_section_and_never_to_the_session() -> None:
    line = "a=candidate:1 1 udp 1 192.0.2.7 9 typ host"
    assert parse_sdp(media(session=(line,))).sections[0].candidates == []


@pytest.mark.parametrize(
    ("lines", "port"),
    [
        (("a=sctp-port:5000",), 5000),
        (("a=sctpmap:5001 webrtc-datachannel 65535",), 5001),
        (("a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 65535"), 5000),
        (("a=sctp-port:five",), None),
        ((), None),
    ],
)
def test_the_sctp_port_is_read_in_its_new_and_its_old_form(lines: tuple[str, ...], port: int | None) -> None:
    section = parse_sdp(media(*lines, m="application 9 UDP/DTLS/SCTP webrtc-datachannel")).sections[0]
    assert section.sctp_port == port


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        ((), 65536),
        (("a=max-message-size:0",), 0),
        (("a=max-message-size:big",), 65536),
        (("a=max-message-size:18446744073709551615",), 2**64 - 1),
    ],
)
def test_a_message_may_hold_64_kib_where_nothing_is_said(lines: tuple[str, ...], size: int) -> None:
    assert parse_sdp(media(*lines)).sections[0].max_message_size == size


@pytest.mark.parametrize(
    ("lines", "bundle"),
    [
        (("a=group:LS 0 1", "a=group:BUNDLE 0 1", "a=group:BUNDLE 2"), ("0", "1")),
        (("a=group:BUNDLE",), ()),
        (("a=group:",), ()),
        (("a=group:LS 0",), ()),
        ((), ()),
    ],
)
def test_the_first_bundle_group_counts(lines: tuple[str, ...], bundle: tuple[str, ...]) -> None:
    assert parse_sdp(media(session=lines)).bundle == bundle


@pytest.mark.parametrize(
    ("text", "is_sdp"),
    [
        ("v=0\r\n", True),
        ("v=0", True),
        ("\r\nv=0\r\n", True),
        ("v=1\r\n", False),
        ("o=- 0 0 IN IP4 0.0.0.0\r\nv=0\r\n", False),
        ("m=audio 9 RTP/AVP 0\r\nv=0\r\n", False),
        ('{"sdp": "v=0"}', False),
        ("<!doctype html>", False),
        ("", False),
    ],
)
def test_an_sdp_begins_with_its_version(text: str, is_sdp: bool) -> None:
    assert parse_sdp(text).is_sdp is is_sdp


def test_line_endings_are_counted_as_they_came() -> None:
    assert parse_sdp("v=0\ns=-\r\nt=0 0\n").bare_line_feeds == 2
    assert parse_sdp("\nv=0\r\n").bare_line_feeds == 1
    assert not parse_sdp("v=0\r\ns=-").ends_with_newline
    assert not parse_sdp("v=0\r").ends_with_newline
    assert not parse_sdp("").ends_with_newline


# --- what is malformed is left out, and the rest is read ---


@pytest.mark.parametrize(
    "line",
    [
        "a=candidate:",
        "a=candidate:1 1 udp 1 192.0.2.7 9 typ",
        "a=candidate:1 1 udp 1 192.0.2.7 9 type host",
        "a=candidate:1 one udp 1 192.0.2.7 9 typ host",
        "a=candidate:1 1 udp high 192.0.2.7 9 typ host",
        "a=candidate:1 1 udp 1 192.0.2.7 -9 typ host",
        "a=candidate:1 1 udp 1 192.0.2.7 ² typ host",
        f"a=candidate:1 1 udp {'9' * 5000} 192.0.2.7 9 typ host",
    ],
)
def test_a_malformed_candidate_is_left_out(line: str) -> None:
    good = "a=candidate:2 1 udp 1 192.0.2.8 9 typ srflx raddr 10.0.0.1 rport 9 dangling"
    candidates = parse_sdp(media(line, good)).sections[0].candidates
    assert [(c.foundation, c.type, c.tcp_type) for c in candidates] == [("2", "srflx", None)]


@pytest.mark.parametrize(
    "value",
    [
        "96",
        "96 opus",
        "96 opus/fast",
        "96 opus/48000/two",
        "x opus/48000",
        "96 /48000",
        f"96 opus/{'9' * 5000}",
        "٩٦ opus/48000",
    ],
)
def test_a_malformed_codec_is_left_out(value: str) -> None:
    section = parse_sdp(media(f"a=rtpmap:{value}", "a=fmtp:96", m="audio 9 X 96 ٩٦ 97")).sections[0]
    assert section.codecs == []


@pytest.mark.parametrize("port", ["", "nine", "²", "٣", "-1", "9" * 5000, "1e3"])
def test_a_port_that_is_no_number_is_minus_one(port: str) -> None:
    assert parse_sdp(f"v=0\r\nm=audio {port} UDP/TLS/RTP/SAVPF 96\r\n").sections[0].port == -1


def test_a_port_may_be_given_with_a_count() -> None:
    assert parse_sdp("m=audio 49170/2 RTP/AVP 31\r\n").sections[0].port == 49170


@pytest.mark.parametrize("m_line", ["m=", "m= ", "m=audio", "m=audio 9", "m=audio 9 X"])
def test_a_media_line_cut_short_is_a_section_with_what_it_has(m_line: str) -> None:
    (section,) = parse_sdp(m_line).sections
    words = m_line[2:].split()
    assert section.kind == "".join(words[:1])
    assert section.protocol == "".join(words[2:3])
    assert section.formats == ()
