import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.hooks import BeforeCall
from harness.config.target import Target
from harness.signaling.hook_request import HookFailedError
from harness.signaling.hooks import filled

URL = "https://staging.example.com/session"
CHATS = "https://staging.example.com/api/chats"
HOOK = BeforeCall(
    url=CHATS, body={"title": "test"}, fields={"chatId": "data.0.id"}, secret_fields={"token": "token"}
)
ANSWER = {"data": [{"id": "c1"}], "token": "hook-secret"}


def target(hook: BeforeCall = HOOK) -> Target:
    return Target(URL, bearer=SecretStr("bearer-secret"), fields={"mode": "voice"}, before_call=hook)


async def fill(hook: BeforeCall = HOOK) -> Target:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await filled(target(hook), client)


@respx.mock
async def test_the_answer_fills_fields_and_its_secrets_are_redacted() -> None:
    route = respx.post(CHATS).respond(201, json=ANSWER)
    found = await fill()
    assert found.extra_fields() == {"mode": "voice", "chatId": "c1", "token": "hook-secret"}
    assert found.redactor().text("c1 hook-secret") == "c1 [redacted]"
    request = route.calls.last.request
    assert request.headers["authorization"] == "Bearer bearer-secret"
    assert request.content == b'{"title": "test"}'


@respx.mock
async def test_credentials_do_not_go_to_another_origin() -> None:
    route = respx.post("https://elsewhere.example.com/api/chats").respond(200, json=ANSWER)
    await fill(BeforeCall(url="https://elsewhere.example.com/api/chats", fields={"chatId": "token"}))
    assert "authorization" not in route.calls.last.request.headers


@respx.mock
async def test_without_a_hook_nothing_is_asked() -> None:
    plain = Target(URL)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert await filled(plain, client) is plain


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(401, text="bearer-secret is wrong"), r"answered 401: \[redacted\] is wrong"),
        (httpx.Response(302, headers={"location": "/login"}), "answered 302"),
        (httpx.Response(200, text="<html>"), "answered something that is not JSON"),
        (httpx.Response(200, json={"data": []}), "has nothing at 'data.0.id' for the field 'chatId'"),
        (httpx.Response(200, json=ANSWER | {"token": "abc"}), "secret field 'token' is not a text of 6"),
        (httpx.Response(200, json=ANSWER | {"token": 7}), "secret field 'token' is not a text of 6"),
        (httpx.ConnectError("refused"), "refused"),
    ],
)
@respx.mock
async def test_a_failure_is_the_hooks_and_tells_no_secret(
    answer: httpx.Response | Exception, says: str
) -> None:
    respx.post(CHATS).mock(side_effect=[answer])
    with pytest.raises(HookFailedError, match=says) as failed:
        await fill()
    assert failed.value.message.startswith("the before_call hook failed")
    assert "secret" not in str(failed.value).replace("secret field", "")


async def test_a_hook_that_does_not_answer_is_given_up() -> None:
    async def silent(_request: httpx.Request) -> httpx.Response:
        raise TimeoutError

    async with httpx.AsyncClient(transport=httpx.MockTransport(silent)) as client:
        with pytest.raises(HookFailedError, match="did not answer in full within 10 s"):
            await filled(target(), client)


@respx.mock
async def test_a_field_that_is_the_dialects_own_cannot_be_filled() -> None:
    respx.post(CHATS).respond(200, json=ANSWER)
    with pytest.raises(HookFailedError, match="'sdp' is the dialect's own"):
        await fill(BeforeCall(url=CHATS, fields={"sdp": "token"}))


@respx.mock
async def test_headers_are_filled_too_and_a_secret_one_is_redacted() -> None:
    respx.post(CHATS).respond(201, json=ANSWER)
    hook = BeforeCall(
        url=CHATS,
        headers={"X-Chat": "data.0.id"},
        secret_headers={"Authorization": "Bearer {token}"},
    )
    found = await fill(hook)
    headers = dict(found.request_headers())
    assert (headers["X-Chat"], headers["Authorization"]) == ("c1", "Bearer hook-secret")
    assert [name for name, _ in found.request_headers()].count("Authorization") == 1
    assert found.redactor().text("hook-secret") == "[redacted]"
    respx.post(CHATS).respond(201, json=ANSWER)
    with pytest.raises(HookFailedError, match=r"has nothing at 'data\.1\.id' for the header 'X-Chat'"):
        await fill(BeforeCall(url=CHATS, headers={"X-Chat": "data.1.id"}))
    with pytest.raises(HookFailedError, match="filled something that cannot be sent"):
        await fill(BeforeCall(url=CHATS, headers={"Cookie": "token"}))
