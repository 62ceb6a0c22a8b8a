import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.browser.offers import find_offer, ufrag_of
from tests.support.timelines import OFFER

FORM = (
    '--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n{"type":"realtime"}\r\n'
    f'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\n{OFFER}\r\n--b--\r\n'
)
DEEP = '{"a":' * 5000 + "1" + "}" * 5000


@pytest.mark.parametrize(
    "body",
    [
        OFFER,
        json.dumps({"sdp": OFFER}),
        json.dumps({"type": "offer", "sdp": OFFER, "chatId": "c1"}),
        json.dumps({"data": {"offer": [{"sdp": OFFER}]}}),
        json.dumps(OFFER),
        json.dumps({"offer": json.dumps({"sdp": OFFER})}),
        FORM,
    ],
    ids=["sdp", "json", "typed", "nested", "string", "twice", "form"],
)
def test_the_offer_is_found_however_it_is_wrapped(body: str) -> None:
    assert find_offer(body) == OFFER
    assert ufrag_of(OFFER) == "offerfrag"


@pytest.mark.parametrize("body", ["", "{}", "v=0", '{"sdp":"none"}', "[" * 3000, DEEP, "\x00", "v=0\r\na=b"])
def test_what_is_no_offer_is_none(body: str) -> None:
    assert find_offer(body) is None


def test_an_offer_that_was_trimmed_is_found_as_it_was_sent() -> None:
    assert find_offer(json.dumps({"sdp": OFFER.strip()})) == OFFER.strip()


@settings(max_examples=50)
@given(st.text())
def test_any_text_can_be_looked_at(body: str) -> None:
    find_offer(body)
