"""Every request that reaches the fake is told of, whatever it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from harness.core.clock import ManualClock
from harness.fakes.openai.http import arrivals as module
from harness.fakes.openai.http.arrivals import Arrivals
from tests.fakes.callers import Served
from tests.support.timelines import OFFER

KEY = "sk-proj-0123456789abcdefghij"


@pytest.fixture
async def fake(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a relay's headers."""
    headers = {"Authorization": f"Bearer {KEY}", "User-Agent": "a-relay/1"}
    async with httpx.AsyncClient(base_url=served.url, trust_env=False, headers=headers) as client:
        yield client


async def told(fake: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    """What is said of one request."""
    since = (await fake.get("/_fake/requests")).json()["now"]
    await fake.request(method, path, **request)
    (found,) = (await fake.get("/_fake/requests", params={"since": repr(since)})).json()["requests"]
    return dict(found)


async def test_a_request_to_a_retired_endpoint_is_told_with_who_made_it(fake: httpx.AsyncClient) -> None:
    found = await told(
        fake,
        "POST",
        "/v1/realtime?model=gpt-realtime",
        content=OFFER,
        headers={"Content-Type": "application/sdp"},
    )
    assert (found["method"], found["url"]) == ("POST", "/v1/realtime?model=gpt-realtime")
    assert found["peer"].startswith("127.0.0.1:")
    assert (found["agent"], found["content_type"], found["size"]) == (
        "a-relay/1",
        "application/sdp",
        len(OFFER),
    )
    assert (found["model"], found["ufrag"]) == ("gpt-realtime", "offerfrag")
    assert (found["status"], found["code"]) == (400, "beta_api_shape_disabled")
    assert found["start"].startswith("v=0\r\n")


@pytest.mark.parametrize("path", ["/realtime/calls", "/v1/v1/realtime/calls", "/v1/nothing", "/"])
async def test_a_path_that_is_not_there_is_told_with_its_body(path: str, fake: httpx.AsyncClient) -> None:
    found = await told(fake, "POST", path, content=OFFER)
    assert (found["url"], found["status"], found["ufrag"]) == (path, 404, "offerfrag")


async def test_a_forms_parts_are_told_with_their_types_and_sizes(fake: httpx.AsyncClient) -> None:
    session = json.dumps({"session": {"type": "realtime", "model": "gpt-realtime-2.1"}})
    parts = {"sdp": (None, "[object Object]"), "session": (None, session, "application/json")}
    found = await told(fake, "POST", "/v1/realtime/calls", files=parts)
    assert found["parts"] == [
        {"name": "sdp", "size": 15, "start": "[object Object]"},
        {"name": "session", "size": len(session), "content_type": "application/json", "start": session},
    ]
    assert found["model"] == "gpt-realtime-2.1"
    assert "ufrag" not in found


async def test_the_name_of_a_call_is_read_from_a_urlencoded_form_too(fake: httpx.AsyncClient) -> None:
    body = f"sdp={quote(OFFER, safe='')}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    found = await told(fake, "POST", "/v1/realtime/calls", content=body, headers=headers)
    assert found["ufrag"] == "offerfrag"
    assert found["start"].startswith("sdp=v=0\r\n")


async def test_no_secret_is_told(fake: httpx.AsyncClient) -> None:
    body = f"my key is {KEY}"
    found = await told(fake, "POST", f"/v1/x?key={KEY}", content=body, headers={"X-Debug": KEY})
    assert KEY not in json.dumps(found)
    assert found["key"] == "Bearer sk-[redacted]"


async def test_a_placeholder_is_no_secret(fake: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer undefined", "Content-Type": "application/sdp"}
    found = await told(fake, "POST", "/v1/realtime/calls", content=OFFER, headers=headers)
    assert (found["status"], found["code"], found["key"]) == (401, "invalid_api_key", "undefined")
    assert "Incorrect API key provided: undefined." in found["message"]


async def test_who_asks_the_management_is_not_told_of_it(fake: httpx.AsyncClient) -> None:
    since = (await fake.get("/_fake/health")).json() and (await fake.get("/_fake/requests")).json()["now"]
    await fake.get("/_fake/calls")
    assert (await fake.get("/_fake/requests", params={"since": repr(since)})).json()["requests"] == []


async def test_a_time_that_is_none_is_refused(fake: httpx.AsyncClient) -> None:
    assert (await fake.get("/_fake/requests", params={"since": "today"})).status_code == 400


def test_what_is_kept_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    monkeypatch.setattr(module, "MOST_BODIES", 100)
    monkeypatch.setattr(module, "LONGEST_BODY", 60)
    kept = Arrivals(ManualClock())
    for number in range(5):
        arrival = kept.begin({"type": "http", "path": f"/{number}", "method": "POST", "headers": []})
        arrival.received(b"x" * (1000 if number == 4 else 1))
        kept.end(arrival)
    assert [(r["url"], r.get("size")) for r in kept.show()] == [("/2", 1), ("/3", 1), ("/4", 1000)]
    huge = kept.begin({"type": "http", "path": "/5", "method": "POST", "headers": []})
    huge.received(b"x" * 1000)
    kept.end(huge)
    assert [r["url"] for r in kept.show()] == ["/5"], "two bodies of 60 bytes are more than 100"
