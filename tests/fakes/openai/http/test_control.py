"""Call control, ephemeral keys, and what is no longer served."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.events import HttpRequest, HttpResponse
from harness.core.probes import HANG_UP
from harness.fakes.openai.keys import EphemeralKey
from tests.fakes.callers import BEARER, CALLS, SESSION, Served, calling, new_caller
from tests.fakes.recorded import differences, explanation

SECRETS = "/v1/realtime/client_secrets"


@pytest.mark.parametrize(
    ("verb", "body", "reason"),
    [
        ("hangup", None, "hangup-requested"),
        ("reject", {"status_code": 486}, "rejected-486"),
        ("refer", {"target_uri": "tel:+14155550123"}, "referred"),
    ],
)
async def test_a_call_is_ended_from_outside(served: Served, verb: str, body: Any, reason: str) -> None:
    """The caller sees its transport close."""
    async with calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        assert (await served.post(f"{CALLS}/{record.id}/{verb}", json=body)).status_code == 200
        await caller.state("dtls", "closed")
        assert (record.state, record.reason) == ("ended", reason)


async def test_accept_checks_the_session(served: Served) -> None:
    """Its body is a session in the GA shape."""
    async with calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        assert (await served.post(f"{CALLS}/{record.id}/accept", json=SESSION)).status_code == 200
        refused = await served.post(f"{CALLS}/{record.id}/accept", json={})
        assert refused.json()["error"]["param"] == "session.type"


async def test_a_call_is_not_there_for_another_key_than_its_own(served: Served) -> None:
    """404, the call lives on, and its record tells of the attempt."""
    async with calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        other = {"Authorization": "Bearer sk-of-another-project"}
        refused = await served.post(f"{CALLS}/{record.id}/hangup", headers=other)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "call_id_not_found")
        assert record.state == "live"
        asked = record.timeline.first(HttpRequest, side="upstream", where=lambda e: e.purpose == HANG_UP)
        told = record.timeline.first(HttpResponse, side="upstream", where=lambda e: e.purpose == HANG_UP)
        assert asked is not None
        assert "another-project" not in str(asked.headers)
        assert told is not None
        assert told.status == 404


@pytest.mark.parametrize("verb", ["hangup", "accept", "reject", "refer"])
async def test_an_unknown_call_is_not_found(served: Served, verb: str) -> None:
    """404 call_id_not_found."""
    response = await served.post(f"{CALLS}/rtc_unknown/{verb}", json={})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "call_id_not_found")


@pytest.mark.parametrize(
    ("verb", "body"), [("reject", {"status_code": "busy"}), ("reject", {"status_code": 200}), ("refer", {})]
)
async def test_a_bad_order_leaves_the_call_alone(served: Served, verb: str, body: dict[str, Any]) -> None:
    """400, and the call lives."""
    async with calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        assert (await served.post(f"{CALLS}/{record.id}/{verb}", json=body)).status_code == 400
        assert record.state == "live"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": "60"}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "now", "seconds": 60}}, "expires_after.anchor"),
        ({"session": {"type": "realtime", "voice": "alloy"}}, "session.voice"),
        ({"session": {"model": "gpt-realtime-2.1"}}, "session.type"),
    ],
)
async def test_a_secret_that_cannot_be_made_is_refused(
    served: Served, body: dict[str, Any], param: str
) -> None:
    """Naming the parameter."""
    response = await served.post(SECRETS, json=body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_a_secret_expires(served: Served) -> None:
    """After its time it opens no call."""
    async with new_caller() as caller:
        made = (
            await served.post(SECRETS, json={"expires_after": {"seconds": 10}, "session": SESSION})
        ).json()
        headers = {"authorization": f"Bearer {made['value']}", "content-type": "application/sdp"}
        first = await served.post(CALLS, content=caller.offer, headers=headers)
        assert first.status_code == 201
        served.fake.keys.learn(EphemeralKey(made["value"], 0.0, SESSION))  # its time is over
        late = await served.post(CALLS, content=caller.offer, headers=headers)
        assert (late.status_code, late.json()["error"]["code"]) == (401, "token_expired")


async def test_the_session_of_a_secret_is_as_recorded_ones_are(served: Served) -> None:
    """Held by the facts of every session, and by the two that recorded secrets add: 0, and nulls."""
    session = SESSION | {"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}
    made = (await served.post(SECRETS, json={"session": session})).json()
    assert set(made) == {"value", "expires_at", "session"}
    event = {"type": "session.updated", "event_id": "event_1", "session": made["session"]}
    assert [line for line in differences(event) if explanation(line) is None] == []
    assert made["session"]["expires_at"] == 0
    transcription = made["session"]["audio"]["input"]["transcription"]
    assert (transcription["language"], transcription["prompt"]) == (None, None)
    del transcription["prompt"]  # a check that finds nothing proves nothing
    assert [line for line in differences(event) if explanation(line) is None]


async def test_a_secret_makes_no_secrets(served: Served) -> None:
    """Only the secret key of an organisation does."""
    made = (await served.post(SECRETS, json={})).json()
    headers = {"authorization": f"Bearer {made['value']}"}
    assert (await served.post(SECRETS, json={}, headers=headers)).status_code == 401


@pytest.mark.parametrize("path", ["/v1/realtime?model=gpt-realtime", "/v1/realtime/sessions"])
async def test_the_beta_endpoints_are_retired(served: Served, path: str) -> None:
    """400 beta_api_shape_disabled."""
    headers = {**BEARER, "content-type": "application/sdp"}
    response = await served.post(path, content="v=0\r\n", headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "beta_api_shape_disabled")


async def test_other_urls_and_methods_are_refused_in_the_apis_shape(served: Served) -> None:
    """404 and 405 with an error object."""
    assert (await served.post("/v1/elsewhere")).json()["error"][
        "message"
    ] == "Invalid URL (POST /v1/elsewhere)"
    assert (await served.client.get(served.url + CALLS)).status_code == 405


async def test_preflights_are_answered(served: Served) -> None:
    """A page with an ephemeral key posts its offer across origins."""
    response = await served.client.options(
        served.url + CALLS,
        headers={
            "origin": "https://app.test",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
