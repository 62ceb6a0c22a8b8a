import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.hooks import UsageEndpoint
from harness.config.target import Target
from harness.signaling.hook_request import HookFailedError
from harness.signaling.usage import told_usage

USAGE = "https://staging.example.com/api/usage"
TARGET = Target("https://staging.example.com/session", bearer=SecretStr("bearer-secret"))


async def told(number: str = "data.0.usd", url: str = USAGE) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await told_usage(UsageEndpoint(url, number), TARGET, client)


@pytest.mark.parametrize(
    ("number", "answer", "figure"),
    [
        ("data.0.usd", {"data": [{"usd": 1.25}]}, 1.25),
        ("data.0.usd", {"data": [{"usd": "1.2500"}]}, 1.25),
        ("tokens", {"tokens": 1234}, 1234.0),
        ("", 7, 7.0),
        ("", "0.5", 0.5),
    ],
)
@respx.mock
async def test_the_number_is_taken_from_where_the_file_says(
    number: str, answer: object, figure: float
) -> None:
    route = respx.get(USAGE).respond(json=answer)
    assert await told(number) == figure
    assert route.calls.last.request.headers["authorization"] == "Bearer bearer-secret"


@respx.mock
async def test_credentials_do_not_go_to_another_origin() -> None:
    elsewhere = "https://elsewhere.example.com/usage"
    route = respx.get(elsewhere).respond(json=1)
    await told("", elsewhere)
    assert "authorization" not in route.calls.last.request.headers


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(403, text="bearer-secret may not"), r"answered 403: \[redacted\] may not"),
        (httpx.Response(302, headers={"location": "/login"}), "answered 302"),
        (httpx.Response(200, text="<html>"), "answered something that is not JSON"),
        (httpx.Response(200, json={"data": []}), "has nothing at 'data.0.usd' for the number"),
        (httpx.ConnectError("refused"), "refused"),
        *(
            (httpx.Response(200, text='{"data": [{"usd": ' + value + "}]}"), "has no number of 0 or more at")
            for value in ('"secret"', "true", "null", "-1", "NaN", "Infinity", '"nan"', "{}", "9" * 400)
        ),
    ],
)
@respx.mock
async def test_a_failure_is_the_hooks_and_tells_no_secret(
    answer: httpx.Response | Exception, says: str
) -> None:
    respx.get(USAGE).mock(side_effect=[answer])
    with pytest.raises(HookFailedError, match=says) as failed:
        await told()
    assert failed.value.message.startswith("the usage hook failed")
    assert "the relay is not to blame" in failed.value.remedy
    assert "secret" not in str(failed.value)
