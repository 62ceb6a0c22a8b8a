import pytest

from harness.config.run import run_settings
from harness.config.settings import Settings, read_settings
from harness.core.errors import UsageError

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HARNESS_{name.upper()}", raising=False)


def test_every_variable_reaches_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TARGET", "https://staging.example.com/session")
    monkeypatch.setenv("HARNESS_DIALECT", "json-answer")
    monkeypatch.setenv("HARNESS_BEARER", SECRET)
    monkeypatch.setenv("HARNESS_HEADERS", '{"X-Tenant": "acme"}')
    monkeypatch.setenv("HARNESS_COOKIES", '{"sid": "abc"}')
    monkeypatch.setenv("HARNESS_FIELDS", '{"chatId": "c1"}')
    monkeypatch.setenv("HARNESS_ORIGIN", "https://app.example.com")
    target = run_settings().the_target
    assert target.dialect == "json-answer"
    assert dict(target.request_headers()) == {
        "X-Tenant": "acme",
        "Cookie": "sid=abc",
        "Origin": "https://app.example.com",
        "Authorization": f"Bearer {SECRET}",
    }
    assert target.extra_fields() == {"chatId": "c1"}


def test_the_environment_is_read_again_when_it_has_changed_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = read_settings()
    monkeypatch.setenv("SOMEBODY_ELSES", "1")
    assert read_settings() is before
    monkeypatch.setenv("HARNESS_DIALECT", "sdp")
    assert read_settings().dialect == "sdp"
    monkeypatch.delenv("HARNESS_DIALECT")
    monkeypatch.setenv("harness_dialect", "json")  # pydantic takes either case
    assert read_settings().dialect == "json"
    monkeypatch.delenv("harness_dialect")
    assert read_settings() == before


@pytest.mark.parametrize("silence", ["true", "comfort"])
def test_silence_is_true_or_comfort_noise(monkeypatch: pytest.MonkeyPatch, silence: str) -> None:
    monkeypatch.setenv("HARNESS_SILENCE", silence)
    assert run_settings().comfort_noise is (silence == "comfort")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HARNESS_SILENCE", SECRET),
        ("HARNESS_HEADERS", f"X-Device: {SECRET}"),
        ("HARNESS_HEADERS", f'["{SECRET}"]'),
        ("HARNESS_COOKIES", f'{{"sid": ["{SECRET}"]}}'),
        ("HARNESS_FIELDS", SECRET),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name) as refused:
        read_settings()
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
