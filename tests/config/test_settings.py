from __future__ import annotations

import pytest

from harness.config.run import run_settings
from harness.config.settings import read_settings
from harness.core.errors import UsageError

URL = "https://relay.example.com/offer"


def test_what_the_target_wants_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TARGET", URL)
    monkeypatch.setenv("HARNESS_HEADERS", '{"X-Tenant": "acme-tenant"}')
    monkeypatch.setenv("HARNESS_COOKIES", '{"session": "cookie-value"}')
    monkeypatch.setenv("HARNESS_FIELDS", '{"chatId": "c1"}')
    monkeypatch.setenv("HARNESS_BEARER", "bearer-value")
    target = run_settings().the_target
    assert target.url == URL
    assert dict(target.request_headers()) == {
        "X-Tenant": "acme-tenant",
        "Authorization": "Bearer bearer-value",
        "Cookie": "session=cookie-value",
    }
    assert target.extra_fields() == {"chatId": "c1"}
    assert {"cookie-value", "bearer-value", "acme-tenant"} <= set(target.secrets())


def test_silence_is_true_or_comfort_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_settings().comfort_noise is False
    monkeypatch.setenv("HARNESS_SILENCE", "comfort")
    assert run_settings().comfort_noise is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HARNESS_HEADERS", "not JSON, but a-secret-value"),
        ("HARNESS_COOKIES", '["a-secret-value"]'),
        ("HARNESS_SILENCE", "a-secret-value"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_and_its_value_is_not(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as refused:
        read_settings()
    assert name in str(refused.value)
    assert "a-secret-value" not in str(refused.value)
