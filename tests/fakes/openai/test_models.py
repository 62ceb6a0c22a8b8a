"""GET /v1/models, and the models that no session can have."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import AsyncOpenAI

from harness.fakes.openai.settings import FakeSettings
from tests.fakes.callers import BEARER, CALLS, KEY, Served, calling, new_caller, quick, serving

SDP = "application/sdp"
REALTIME = "gpt-realtime-2.1"


async def asked(served: Served, model: str, path: str = CALLS, **request: Any) -> tuple[int, Any, str]:
    """Status, code and message of a call made with this model."""
    async with new_caller() as caller:
        session = json.dumps({"type": "realtime", "model": model})
        files = {"sdp": (None, caller.offer, SDP), "session": (None, session, "application/json")}
        response = await served.post(path, files=files, **request)
    error: dict[str, Any] = {"code": None, "message": ""}
    if response.status_code != 201:
        error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


async def test_the_official_client_lists_the_models_and_asks_for_one(served: Served) -> None:
    async with AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1") as client:
        listed = [model.id async for model in client.models.list()]
        assert {REALTIME, "gpt-realtime", "gpt-realtime-whisper"} <= set(listed)
        assert (await client.models.retrieve(REALTIME)).owned_by == "system"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/v1/models", {}, 401, None),
        ("/v1/models/gpt-9", BEARER, 404, "model_not_found"),
        ("/v1/models/gpt-4o-realtime-preview", BEARER, 404, "model_not_found"),
    ],
)
async def test_what_is_asked_without_a_key_or_by_a_name_that_is_none_is_refused(
    served: Served, path: str, headers: dict[str, str], status: int, code: str | None
) -> None:
    response = await served.client.get(served.url + path, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("status", [403, 404, None])
async def test_a_model_that_nobody_knows_is_refused_as_reports_have_it(
    status: Literal[403, 404] | None,
) -> None:
    async with serving(quick(unknown_model_status=status)) as served:
        found, code, message = await asked(served, "gpt-9-realtime")
    assert (found, code) == ((status, "model_not_found") if status else (201, None))
    assert not status or "gpt-9-realtime" in message


async def test_a_model_that_the_project_may_not_use_is_another_refusal() -> None:
    settings: FakeSettings = quick(refused_models=frozenset({REALTIME}))
    async with serving(settings) as served:
        status, code, message = await asked(served, REALTIME)
        assert (status, code) == (403, "model_not_found")
        assert message == f"Project `proj_fake` does not have access to model `{REALTIME}`"
        listed = (await served.client.get(f"{served.url}/v1/models", headers=BEARER)).json()["data"]
        assert REALTIME not in {model["id"] for model in listed}


async def test_the_model_in_the_url_of_a_raw_offer_is_that_of_the_session(served: Served) -> None:
    async with new_caller() as caller:
        headers = {**BEARER, "content-type": SDP}
        path = f"{CALLS}?model=gpt-realtime"
        response = await served.post(path, content=caller.offer, headers=headers)
        assert response.status_code == 201
        assert served.records[0].session()["model"] == "gpt-realtime"
        unknown = await served.post(f"{CALLS}?model=gpt-9", content=caller.offer, headers=headers)
        assert unknown.json()["error"]["code"] == "model_not_found"


async def test_a_raw_offer_with_a_project_key_is_refused_where_that_is_asked_for() -> None:
    """One report; the words are not known."""
    async with serving(quick(refuse_project_key_on_raw_sdp=True)) as served, new_caller() as caller:
        made = (await served.post("/v1/realtime/client_secrets")).json()
        for key, status in ((KEY, 401), (made["value"], 201)):
            headers = {"authorization": f"Bearer {key}", "content-type": SDP}
            response = await served.post(CALLS, content=caller.offer, headers=headers)
            assert response.status_code == status


async def test_azures_prefix_takes_its_own_key_header_and_any_deployment(served: Served) -> None:
    headers = {"api-key": KEY}
    path = f"/openai{CALLS}"
    assert await asked(served, "my-deployment", path, headers=headers) == (201, None, "")
    assert (await asked(served, "my-deployment", CALLS, headers=headers))[0] == 401
    async with calling(served, {"type": "realtime", "model": REALTIME}) as caller:
        await caller.event("session.created")
        call_id = served.records[-1].id
        assert (await served.post(f"{path}/{call_id}/hangup", headers=headers)).status_code == 200


async def test_the_location_below_azures_prefix_leads_back_to_the_call(served: Served) -> None:
    async with new_caller() as caller:
        files = {"sdp": (None, caller.offer, SDP)}
        response = await served.post(f"/openai{CALLS}", files=files, headers={"api-key": KEY})
        hang_up = await served.post(f"{response.headers['location']}/hangup", headers={"api-key": KEY})
        assert hang_up.status_code == 200
