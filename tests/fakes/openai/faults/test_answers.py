"""Wrong answers: each must be wrong in the one way that its name says."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from harness.core.caller_end import SdpUnusableError
from harness.core.sdp import SessionDescription, parse_sdp
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.openai.media.hooks import ANSWER as ANSWERS
from tests.fakes.callers import CALLS, Served, calling, new_caller, quick, serving, until

ANSWER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "m=audio 5000 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n"
    "a=candidate:2 1 udp 2130706430 10.0.0.9 5001 typ host\r\na=end-of-candidates\r\n"
    "a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    "a=fingerprint:sha-256 00:11\r\na=setup:active\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "m=application 5000 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    "a=fingerprint:sha-256 00:11\r\na=setup:active\r\na=mid:1\r\na=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n"
)


def spoiled(name: str, value: object = None) -> SessionDescription:
    fault = OPENAI_FAULTS.named(name)
    ((unit, given, _),) = ANSWERS.met([(fault, fault.value(value))])
    return parse_sdp(unit(given, random.Random(1)).answer(ANSWER))


def kinds(sdp: SessionDescription) -> list[str]:
    return [section.kind for section in sdp.sections]


EXPECTED: dict[str, Callable[[SessionDescription], bool]] = {
    "answer-without-data-section": lambda a: kinds(a) == ["audio"] and a.bundle == ("0",),
    "answer-data-section-rejected": lambda a: a.sections[1].rejected and not a.sections[0].rejected,
    "answer-without-audio-section": lambda a: kinds(a) == ["application"] and a.bundle == ("1",),
    "answer-audio-rejected": lambda a: a.sections[0].rejected and not a.sections[1].rejected,
    "answer-audio-direction": lambda a: a.sections[0].direction == "inactive",
    "answer-without-rtcp-mux": lambda a: not any(s.attributes("rtcp-mux") for s in a.sections),
    "answer-sections-swapped": lambda a: kinds(a) == ["application", "audio"],
    "answer-without-candidates": lambda a: not a.sections[0].candidates,
    "answer-tcp-candidates": lambda a: (
        [(c.protocol, c.tcp_type) for c in a.sections[0].candidates] == [("tcp", "passive")] * 2
    ),
    "answer-private-candidates": lambda a: {c.address for c in a.sections[0].candidates} == {"10.255.255.1"},
    "answer-unreachable-candidates": lambda a: {c.address for c in a.sections[0].candidates} == {"192.0.2.1"},
    "answer-max-message-size": lambda a: a.sections[1].max_message_size == 32768,
    "wrong-fingerprint": lambda a: len({*a.sections[0].fingerprints, ("sha-256", "00:11")}) == 2,
    "no-fingerprint": lambda a: not any(s.fingerprints for s in a.sections),
    "wrong-ufrag": lambda a: {s.ice_ufrag for s in a.sections} == {"another0"},
    "no-ice-credentials": lambda a: not any(s.ice_ufrag or s.ice_pwd for s in a.sections),
    "setup-actpass": lambda a: {s.setup for s in a.sections} == {"actpass"},
    "answer-without-opus": lambda a: [c.name for c in a.sections[0].codecs] == ["g722"],
    "answer-bare-line-feeds": lambda a: a.bare_line_feeds == ANSWER.count("\r\n"),
    "answer-no-final-newline": lambda a: not a.ends_with_newline,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_answer_is_wrong_as_named(name: str) -> None:
    """And nothing but SDP may come out."""
    answer = spoiled(name)
    assert EXPECTED[name](answer)
    assert answer.is_sdp


def test_every_answer_fault_is_tested() -> None:
    """A fault without a test is a fault that may do nothing."""
    assert {fault.name for fault in OPENAI_FAULTS if fault.stage == "answer"} == set(EXPECTED)


@pytest.mark.parametrize(
    "name", ["answer-without-data-section", "answer-sections-swapped", "setup-actpass", "no-fingerprint"]
)
async def test_a_browser_would_refuse_it(served: Served, name: str) -> None:
    """setRemoteDescription fails on these."""
    await served.post("/_fake/faults", json={name: None})
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        with pytest.raises(SdpUnusableError):
            caller.accept(response.text)


async def test_a_wrong_fingerprint_fails_the_handshake() -> None:
    """The caller must notice that the certificate is another; the fake gives up on the caller."""
    settings = quick(connect_seconds=0.5, faults=("wrong-fingerprint",))
    async with serving(settings) as served, calling(served) as caller:
        await caller.state("dtls", "failed")
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")


@pytest.mark.parametrize("name", ["wrong-ufrag", "answer-without-candidates", "ice-silent"])
async def test_ice_cannot_connect(name: str) -> None:
    """Not even by the fake's own checks."""
    async with serving(quick(connect_seconds=0.8, faults=(name,))) as served, new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        caller.peer.accept_answer(response.text, ice_seconds=0.8, dtls_seconds=1.0)
        await caller.state("ice", "failed")
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
        assert record.reason == "never-connected"
