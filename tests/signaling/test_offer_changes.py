from __future__ import annotations

import re

import pytest

from harness.core.offer_shapes import CHROMIUM, FIREFOX, FIREFOX_GATHERED, LIBWEBRTC, MINIMAL, OFFER_SHAPES
from harness.core.sdp import parse_sdp
from harness.peer.remote import Remote
from harness.signaling.offer_changes import changed_lines, changes_to, padded
from tests.peer.test_offers import offer_of

OURS = [("127.0.0.1", 40_000)]


async def names_for(shape: str) -> list[str]:
    return [change.name for change in changes_to((await offer_of(shape)).text, OURS)]


@pytest.mark.parametrize("shape", OFFER_SHAPES)
async def test_every_change_leaves_an_offer_that_can_be_answered(shape: str) -> None:
    offer = (await offer_of(shape)).text
    for change in changes_to(offer, OURS):
        changed = parse_sdp(change.apply(offer))
        remote = Remote.from_sdp(changed)
        assert (remote.ufrag, remote.sctp_port) == (parse_sdp(offer).ice_ufrag, 5000), change
        assert changed.ends_with_newline, change
        assert changed.sections[0].codec("opus"), change


@pytest.mark.parametrize("shape", OFFER_SHAPES)
async def test_every_change_makes_a_difference_and_names_its_lines(shape: str) -> None:
    offer = (await offer_of(shape)).text
    for change in changes_to(offer, OURS):
        number, lines = changed_lines(offer, change.apply(offer))
        assert lines, change
        assert not number or offer.split("\r\n")[number - 1] == lines[0], change


async def test_each_browsers_offer_has_the_changes_that_concern_it() -> None:
    assert (await names_for(CHROMIUM))[:2] == ["with a candidate", "with Opus alone"]
    assert (await names_for(LIBWEBRTC))[:3] == [
        "without TCP candidates",
        "without IPv6 candidates",
        "with Opus alone",
    ]
    firefox = await names_for(FIREFOX)
    assert {"with Opus as payload type 111", "with the fingerprint in each section"} <= set(firefox)
    gathered = await names_for(FIREFOX_GATHERED)
    assert {"with addresses for .local names", "with udp in small letters"} <= set(gathered)


async def test_with_opus_as_111_every_line_of_it_has_the_number() -> None:
    offer = (await offer_of(FIREFOX)).text
    (change,) = [c for c in changes_to(offer, OURS) if c.name == "with Opus as payload type 111"]
    audio = parse_sdp(change.apply(offer)).sections[0]
    assert audio.formats == ("111", "9", "0", "8", "101")
    opus = audio.codec("opus")
    assert opus is not None
    assert (opus.payload_type, opus.parameters) == (111, "maxplaybackrate=48000;stereo=1;useinbandfec=1")
    assert not re.search(r"\b109\b", change.apply(offer))  # ids and fingerprints have it within longer runs


async def test_a_fingerprint_moves_into_each_section() -> None:
    offer = (await offer_of(FIREFOX)).text
    (change,) = [c for c in changes_to(offer, OURS) if "fingerprint" in c.name]
    changed = parse_sdp(change.apply(offer))
    assert not any(line.startswith("a=fingerprint") for line in changed.session_lines)
    assert [s.fingerprints for s in changed.sections] == [s.fingerprints for s in parse_sdp(offer).sections]


async def test_an_offer_is_made_as_long_by_one_name_and_no_line_more() -> None:
    offer = (await offer_of(MINIMAL)).text
    longer = padded(offer, 3000)
    assert len(longer) == 3000
    assert longer.count("\r\n") == offer.count("\r\n")
    assert padded(offer, 10) == offer


def test_a_line_that_is_added_is_named_where_none_is_gone() -> None:
    assert changed_lines("v=0\r\ns=-\r\n", "v=0\r\ns=-\r\na=x\r\n") == (0, ("a=x",))
