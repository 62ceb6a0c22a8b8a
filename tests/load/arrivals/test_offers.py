from __future__ import annotations

import random

import pytest

from harness.core.offer_shapes import OFFER_SHAPES
from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.offers import read_offer, read_remote
from harness.load.arrivals.answers import Answers
from harness.load.arrivals.offers import PREFIX, PreparedOffer, PreparedOffers

OFFER = PreparedOffer("v=0\r\n", "ad0wn", "pwd")
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
CREDENTIALS = "a=ice-ufrag:name\r\na=ice-pwd:password\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"


@pytest.mark.parametrize("shape", OFFER_SHAPES)
def test_each_offer_is_one_that_the_fake_takes_and_has_credentials_of_its_own(shape: str) -> None:
    offers = PreparedOffers(shape, random.Random(1))
    drawn = [offers.draw() for _ in range(50)]
    described = [parse_sdp(offer.sdp) for offer in drawn]
    assert len({offer.ufrag for offer in drawn}) == len({offer.pwd for offer in drawn}) == 50
    assert len({s.fingerprints[0] for d in described for s in d.sections if s.kind == "audio"}) == 50
    for offer in drawn[:3]:
        remote = read_remote(read_offer(offer.sdp.encode()))
        assert (remote.ufrag, remote.pwd) == (offer.ufrag, offer.pwd)
        assert offer.ufrag.startswith(PREFIX)
        assert len(offer.ufrag) == 8
    again = PreparedOffers(shape, random.Random(1))
    assert again.draw().ufrag == drawn[0].ufrag  # a seed repeats them


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (f"v=0\r\n{AUDIO}{CREDENTIALS}{DATA}", ""),
        ("<html>", "signaling.answer-is-sdp: the body is no SDP"),
        (f"v=0\r\n{AUDIO}{CREDENTIALS}", "signaling.answer-has-data-channel: it has no m=application"),
        (
            f"v=0\r\n{AUDIO.replace(' 9 ', ' 0 ')}{CREDENTIALS}{DATA}",
            "signaling.answer-has-audio: it rejects m=audio",
        ),
        (f"v=0\r\n{AUDIO}{DATA}", "signaling.answer-mirrors-offer: it has no ICE credentials"),
        (
            f"v=0\r\n{AUDIO}{CREDENTIALS.replace('name', OFFER.ufrag)}{DATA}",
            "signaling.answer-mirrors-offer: it has the offer's own ice-ufrag",
        ),
    ],
)
def test_the_cheap_facts_of_an_answer(answer: str, told: str) -> None:
    assert Answers().fault(OFFER, answer) == told


def test_an_answer_from_a_cache_is_noticed() -> None:
    answers, answer = Answers(), f"v=0\r\n{AUDIO}{CREDENTIALS}{DATA}"
    assert answers.fault(OFFER, answer) == ""
    assert answers.fault(OFFER, answer) == "arrivals: another caller was given the same ICE credentials"
