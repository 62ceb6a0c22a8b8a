"""Who may call."""

from __future__ import annotations

import random

import pytest
from starlette.requests import Request

from harness.core.clock import ManualClock
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.ids import Ids
from harness.fakes.openai.keys import Keys, bearer

KEY = "sk-test-0123456789abcdef"


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def keys(*accepted: str, clock: ManualClock | None = None) -> Keys:
    return Keys(accepted, clock or ManualClock(), Ids(random.Random(1)))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"authorization": f"Bearer {KEY}"}, KEY),
        ({"authorization": f"bearer  {KEY} "}, KEY),
        ({"authorization": f"Basic {KEY}"}, ""),
        ({"sec_websocket_protocol": f"realtime, openai-insecure-api-key.{KEY}"}, KEY),
        ({}, ""),
    ],
)
def test_the_key_is_read_from_where_clients_put_it(headers: dict[str, str], expected: str) -> None:
    """A header, or a browser's WebSocket subprotocol."""
    assert bearer(request(**headers)) == expected


def test_an_ephemeral_key_lives_for_its_time() -> None:
    """And brings its session."""
    clock = ManualClock()
    known = keys(KEY, clock=clock)
    issued = known.issue(10, {"model": "m"})
    presented = request(authorization=f"Bearer {issued.value}")
    found = known.check(presented)
    assert found is not None
    assert found.session == {"model": "m"}
    with pytest.raises(ApiError, match="Incorrect API key"):
        known.check(presented, secret_only=True)
    clock.advance(10)
    with pytest.raises(ApiError, match="expired"):
        known.check(presented)


def test_a_refused_key_is_shown_by_its_ends() -> None:
    """So that its owner can tell which one it was, and nobody else learns it."""
    with pytest.raises(ApiError) as refused:
        keys("sk-another-key-0123").check(request(authorization=f"Bearer {KEY}"))
    assert "sk-********cdef" in refused.value.message
    assert KEY not in refused.value.message
