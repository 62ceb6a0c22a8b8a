from __future__ import annotations

import re
import socket

import pytest

from harness.core.offer_shapes import (
    CHROMIUM,
    FIREFOX,
    FIREFOX_GATHERED,
    LIBWEBRTC,
    MINIMAL,
    OFFER_SHAPES,
)
from harness.core.sdp import SessionDescription, parse_sdp
from harness.peer.offering import NOBODY, Offering
from harness.peer.offers import SHAPES, shape_named
from harness.peer.remote import Remote
from harness.peer.spare_ports import SparePorts
from tests.peer.pairs import new_end

SPARE = (50_001, 50_002, 50_003, 50_004)


async def offer_of(name: str) -> SessionDescription:
    draw = shape_named(name).draw
    end = new_end(controlling=True, ufrag=draw.ufrag(), pwd=draw.pwd())
    await end.transport.gather()
    offer = shape_named(name).write(Offering(end.transport, ssrc=77, cname=draw.cname(), spare=SPARE))
    await end.transport.close()
    return parse_sdp(offer)


def test_every_shape_that_is_named_can_be_written() -> None:
    assert set(SHAPES) == set(OFFER_SHAPES)


@pytest.mark.parametrize("name", OFFER_SHAPES)
async def test_an_offer_of_any_shape_names_one_transport_with_opus_and_a_channel(name: str) -> None:
    offer = await offer_of(name)
    remote = Remote.from_sdp(offer)
    audio, data = offer.sections
    assert (offer.bundle, offer.ends_with_newline, offer.bare_line_feeds) == (("0", "1"), True, 0)
    assert (audio.ice_ufrag, audio.ice_pwd) == (data.ice_ufrag, data.ice_pwd) == (remote.ufrag, remote.pwd)
    assert audio.fingerprints == data.fingerprints
    assert (audio.setup, data.setup, audio.direction) == ("actpass", "actpass", "sendrecv")
    assert audio.codec("opus")
    assert remote.sctp_port == 5000


async def test_an_offer_posted_at_once_has_no_candidate_and_the_port_of_none() -> None:
    for name in (CHROMIUM, FIREFOX):
        offer = await offer_of(name)
        assert [(s.port, s.candidates) for s in offer.sections] == [(9, []), (9, [])]


async def test_libwebrtc_names_ipv6_and_tcp_and_a_port_of_its_own_for_each_section() -> None:
    offer = await offer_of(LIBWEBRTC)
    audio, data = offer.sections
    assert [(c.protocol, c.address) for c in audio.candidates] == [
        ("udp", "127.0.0.1"),
        ("udp", NOBODY),
        ("tcp", "127.0.0.1"),
        ("tcp", NOBODY),
    ]
    assert {c.port for c in audio.candidates if c.protocol == "tcp"} == {9}
    assert audio.port == audio.candidates[0].port
    assert data.port == SPARE[0] != audio.port
    assert {c.port for c in data.candidates if c.protocol == "udp"} <= set(SPARE)


async def test_only_the_first_sections_candidates_are_the_bundles() -> None:
    offer = await offer_of(LIBWEBRTC)
    assert set(Remote.from_sdp(offer).candidates) == set(offer.sections[0].candidates)


async def test_firefox_names_nobodys_address_and_both_components() -> None:
    audio = (await offer_of(FIREFOX_GATHERED)).sections[0]
    assert all(c.address.endswith(".local") for c in audio.candidates)
    assert [c.component for c in audio.candidates] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert audio.attribute("rtcp") == f"{SPARE[0]} IN IP4 {audio.candidates[0].address}"
    assert audio.port == 9


@pytest.mark.parametrize("name", [CHROMIUM, LIBWEBRTC])
async def test_chromiums_password_has_the_signs_that_a_form_may_lose(name: str) -> None:
    audio = (await offer_of(name)).sections[0]
    assert re.fullmatch(r"[A-Za-z0-9+/]{24}", audio.ice_pwd or "")
    assert {"+", "/"} <= set(audio.ice_pwd or "")


def test_spare_ports_are_bound_until_they_are_closed() -> None:
    spare = SparePorts()
    spare.bind(["127.0.0.1", NOBODY])  # the second cannot be bound, and is left out
    (number,) = spare.numbers
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", number))
    spare.close()
    spare.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", number))


def test_the_minimal_offer_leaves_its_name_in_rtcp_to_the_sender() -> None:
    assert shape_named(MINIMAL).draw.cname() == ""
