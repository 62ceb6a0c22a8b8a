from __future__ import annotations

import re

import pytest

from harness.core.caller_end import SdpUnusableError
from harness.core.sdp import SessionDescription, parse_sdp
from harness.fakes.openai.media.answer import write_answer
from harness.peer.answers import check_answer
from harness.peer.descriptions import write_offer
from harness.peer.remote import Remote
from tests.peer.pairs import new_end


async def offer_and_answer(
    change: tuple[str, str] = ("", ""),
) -> tuple[SessionDescription, SessionDescription]:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    await caller.transport.gather()
    await callee.transport.gather()
    offer = write_offer(caller.transport, ssrc=7).replace(*change)
    answer = write_answer(parse_sdp(offer), callee.transport, ssrc=8)
    await caller.transport.close()
    await callee.transport.close()
    return parse_sdp(offer), parse_sdp(answer)


async def test_an_offer_has_audio_then_data_bundled_with_every_line_terminated() -> None:
    offer, _ = await offer_and_answer()
    assert [s.kind for s in offer.sections] == ["audio", "application"]
    assert offer.bundle == ("0", "1")
    assert offer.ends_with_newline
    assert offer.bare_line_feeds == 0
    assert all(s.setup == "actpass" for s in offer.sections)


async def test_an_offer_carries_candidates_fingerprint_credentials_and_opus() -> None:
    offer, _ = await offer_and_answer()
    audio = offer.sections[0]
    assert [c.address for c in audio.candidates] == ["127.0.0.1"]
    assert audio.fingerprints[0][0] == "sha-256"
    assert len(audio.ice_ufrag or "") >= 4
    assert len(audio.ice_pwd or "") >= 22
    assert audio.codec("opus")


async def test_an_answer_mirrors_sections_and_chooses_its_setup() -> None:
    offer, answer = await offer_and_answer()
    check_answer(answer, offer)
    assert [(s.kind, s.mid, s.setup) for s in answer.sections] == [
        ("audio", "0", "active"),
        ("application", "1", "active"),
    ]


async def test_an_answer_keeps_the_offers_mids_and_payload_type() -> None:
    offer, answer = await offer_and_answer((" 111", " 96"))
    assert offer.sections[0].formats == answer.sections[0].formats == ("96",)


async def test_a_section_that_cannot_be_served_is_rejected_in_its_place() -> None:
    _, answer = await offer_and_answer(("opus/48000", "speex/16000"))
    assert [s.rejected for s in answer.sections] == [True, False]
    assert answer.bundle == ("1",)


async def test_what_is_only_sent_is_only_received() -> None:
    _, answer = await offer_and_answer(("a=sendrecv", "a=sendonly"))
    assert answer.sections[0].direction == "recvonly"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("v=0", "x=0"), "not SDP"),
        (("a=setup:active", "a=setup:actpass"), "active or passive"),
        (("a=mid:1", "a=mid:9"), "no section has that a=mid"),
        (("m=application", "m=text"), "do not match"),
    ],
)
async def test_an_answer_that_a_browser_refuses_is_refused(change: tuple[str, str], reason: str) -> None:
    offer, answer = await offer_and_answer()
    with pytest.raises(SdpUnusableError, match=reason):
        check_answer(parse_sdp(answer.text.replace(*change)), offer)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("a=ice-ufrag", "ice-ufrag"), ("a=ice-pwd", "ice-pwd"), ("a=fingerprint", "fingerprint")],
)
async def test_an_answer_without_transport_parameters_is_refused(line: str, reason: str) -> None:
    _, answer = await offer_and_answer()
    without = "".join(f"{text}\r\n" for text in answer.text.splitlines() if not text.startswith(line))
    with pytest.raises(SdpUnusableError, match=reason):
        Remote.from_sdp(parse_sdp(without))


async def test_a_description_of_rejected_sections_has_no_transport() -> None:
    _, answer = await offer_and_answer()
    text = re.sub(r"(?m)^(m=\w+) \d+", r"\1 0", answer.text)
    with pytest.raises(SdpUnusableError, match="rejected"):
        Remote.from_sdp(parse_sdp(text))
