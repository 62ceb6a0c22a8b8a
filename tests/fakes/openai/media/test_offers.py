"""Reading an offer as the real server does."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.media.offers import read_offer, read_remote
from harness.fakes.openai.media.peer import _candidates_shuffled
from tests.fakes.fuzz import mutated

OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=audio 5000 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n"
    "a=candidate:2 1 udp 2130706430 3c2f1b6e-1111-2222-3333-444455556666.local 5001 typ host\r\n"
    "a=candidate:3 1 tcp 2130706429 127.0.0.1 9 typ host tcptype active\r\n"
    "a=candidate:4 1 udp 2130706428 127.0.0.1 70000 typ host\r\n"
    "a=candidate:5 2 udp 2130706427 127.0.0.1 5002 typ host\r\n"
    "a=candidate:6 1 udp 2130706426 0.0.0.0 5003 typ host\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00:11\r\n"
    "a=setup:actpass\r\na=mid:0\r\na=rtpmap:109 opus/48000/2\r\n"
)


def test_only_candidates_that_can_be_reached_are_kept() -> None:
    """A browser's mDNS names, TCP, impossible ports and other components are of no use."""
    remote = read_remote(read_offer(OFFER.encode()))
    assert [(c.address, c.port) for c in remote.candidates] == [("127.0.0.1", 5000)]
    assert remote.payload_type == 109


@pytest.mark.parametrize(
    ("offered", "callers"), [("actpass", "passive"), ("passive", "passive"), ("active", "active")]
)
def test_the_caller_takes_the_other_role(offered: str, callers: str) -> None:
    """We are the active end wherever the offer leaves it open (RFC 8842, section 5.3)."""
    offer = OFFER.replace("a=setup:actpass", f"a=setup:{offered}")
    assert read_remote(read_offer(offer.encode())).setup == callers


@given(st.integers(0, 1 << 32))
def test_a_spoiled_offer_is_read_or_refused(seed: int) -> None:
    """Nothing else may happen."""
    with contextlib.suppress(ApiError):
        read_remote(read_offer(mutated(OFFER, random.Random(seed))))


def test_candidates_come_in_any_order() -> None:
    """Their order says nothing, so no client may rely on it; no line is lost."""
    shuffled = {_candidates_shuffled(OFFER, random.Random(seed)) for seed in range(20)}
    assert len(shuffled) > 5
    assert {tuple(sorted(sdp.splitlines())) for sdp in shuffled} == {tuple(sorted(OFFER.splitlines()))}
