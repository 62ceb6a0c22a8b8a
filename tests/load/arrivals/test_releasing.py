"""How the calls that offers made are ended at their Location, by what the target speaks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.config.target import Target
from harness.load.arrivals.offers import PreparedOffer
from harness.load.arrivals.releasing import Releasing
from harness.load.arrivals.sending import WholeReply

URL = "https://relay.example.com/api/voice/whip"


class Asked:
    """Takes down what is asked, and agrees."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def ask(self, method: str, url: str, _body: bytes, _headers: Mapping[str, str]) -> WholeReply:
        self.asked.append((method, url))
        return WholeReply(200, {})


@pytest.mark.parametrize(
    ("dialect", "asked"), [("whip", ("DELETE", f"{URL}/abc")), ("sdp", ("POST", f"{URL}/abc/hangup"))]
)
async def test_a_call_is_ended_as_its_target_has_it(dialect: str, asked: tuple[str, str]) -> None:
    posting = Asked()
    releasing = Releasing(Target(URL, dialect=dialect), posting, None)
    async with releasing.running():
        releasing.accepted(PreparedOffer(sdp="v=0\r\n", ufrag="abcd", pwd=""), "whip/abc")
        await releasing.settled()
    assert posting.asked == [asked]
    assert not releasing.left
