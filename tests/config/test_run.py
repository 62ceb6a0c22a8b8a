from pathlib import Path

import pytest
from pydantic import SecretStr

from harness.config.options import HIGHEST_SEED
from harness.config.run import (
    EMBEDDED_CONCURRENCY,
    TARGET_CONCURRENCY,
    RunSettings,
    run_settings,
)
from harness.config.settings import Settings
from harness.core.errors import HarnessError, UsageError

URL = "https://staging.example.com/session"
NOTHING_SET = Settings.model_construct()


def test_without_a_target_the_run_is_embedded() -> None:
    settings = run_settings(environment=NOTHING_SET)
    assert (settings.mode, settings.target, settings.concurrency) == ("embedded", None, EMBEDDED_CONCURRENCY)
    assert settings.ice_addresses() == ["127.0.0.1"]
    with pytest.raises(HarnessError, match="there is no target yet"):
        _ = settings.the_target


def test_the_embedded_pair_becomes_target_and_upstream_and_the_run_stays_embedded() -> None:
    settings = run_settings(dialect="sdp", environment=NOTHING_SET)
    settings = settings.with_pair("http://127.0.0.1:1/session", "http://127.0.0.1:2")
    assert settings.mode == "embedded"
    assert settings.the_target.url == "http://127.0.0.1:1/session"
    assert settings.the_target.dialect == "sdp"
    assert settings.fake_openai == "http://127.0.0.1:2"
    assert settings.ice_addresses() == ["127.0.0.1"]


def test_a_target_alone_is_a_black_box_and_with_the_fake_behind_it_a_grey_one() -> None:
    black = run_settings(target=URL, environment=NOTHING_SET)
    assert (black.mode, black.concurrency, black.ice_addresses()) == ("black-box", TARGET_CONCURRENCY, None)
    grey = run_settings(target=URL, fake_openai="127.0.0.1:8089", environment=NOTHING_SET)
    assert (grey.mode, grey.fake_openai) == ("grey-box", "http://127.0.0.1:8089")
    assert grey.ice_addresses() == ["127.0.0.1"]
    elsewhere = run_settings(target=URL, fake_openai="https://fake.example.com/", environment=NOTHING_SET)
    assert elsewhere.fake_openai == "https://fake.example.com"
    assert elsewhere.ice_addresses() is None


def test_options_go_before_the_environment() -> None:
    environment = Settings.model_construct(
        target="https://one.example.com/",
        dialect="sdp",
        bearer=SecretStr("bearer-secret"),
        origin="https://app.example.com",
    )
    fallen_back = run_settings(environment=environment).the_target
    assert (fallen_back.url, fallen_back.dialect) == ("https://one.example.com/", "sdp")
    assert fallen_back.origin == "https://app.example.com"
    assert fallen_back.bearer == SecretStr("bearer-secret")
    given = run_settings(target=URL, dialect="json", environment=environment).the_target
    assert (given.url, given.dialect) == (URL, "json")


def test_the_environment_is_read_and_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TARGET", URL)
    monkeypatch.setenv("HARNESS_BEARER", "bearer-secret")
    monkeypatch.setenv("HARNESS_DIALECT", "")
    monkeypatch.delenv("HARNESS_FAKE_TOKEN", raising=False)
    settings = run_settings()
    assert settings.the_target.url == URL
    assert settings.the_target.bearer == SecretStr("bearer-secret")
    assert settings.dialect == "json"


def test_the_offers_shape_is_the_options_before_the_files_before_the_environments(tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    config.write_text(f'[targets.one]\nurl = "{URL}"\noffer = "firefox"\n[targets.other]\nurl = "{URL}"\n')
    environment = Settings.model_construct(offer="libwebrtc", config=config)
    assert run_settings(target="one", offer="minimal", environment=environment).offer == "minimal"
    assert run_settings(target="one", environment=environment).offer == "firefox"
    assert run_settings(target="other", environment=environment).offer == "libwebrtc"
    assert run_settings(environment=NOTHING_SET).offer == ""  # in turn


def test_a_seed_is_kept_and_otherwise_chosen_anew() -> None:
    assert run_settings(seed=7, environment=NOTHING_SET).seed == 7
    chosen = {run_settings(environment=NOTHING_SET).seed for _ in range(5)}
    assert len(chosen) > 1
    assert all(0 <= seed < HIGHEST_SEED for seed in chosen)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"target": "staging"}, "'staging' is not a URL, and there is no harness.toml"),
        ({"target": "staging.example.com/offer"}, "is not a URL"),
        ({"auth": "required"}, "--auth needs a --target"),
        ({"origin": "app.example.com/page"}, "is no origin"),
        ({"dialect": "rtmp"}, "there is no dialect 'rtmp'"),
        ({"offer": "fierfox"}, "there is no offer 'fierfox'.*did you mean firefox"),
        ({"concurrency": 0}, "--concurrency 0 would make no call"),
        ({"seed": -1}, "--seed -1 is out of range"),
        ({"seed": HIGHEST_SEED}, "is out of range"),
        ({"fake_openai": "127.0.0.1:8089"}, "--fake-openai needs a --target"),
        ({"target": URL, "fake_openai": "127.0.0.1:port"}, "--fake-openai"),
        ({"limits": {"answer_z": 3.0}}, "there is no limit 'answer_z'"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        run_settings(**options, environment=NOTHING_SET)  # type: ignore[arg-type]  # one option at a time


def test_limits_reports_and_strictness_are_kept() -> None:
    settings = run_settings(
        limits={"latency_ms": 800.0}, reports=Path("elsewhere"), strict=True, environment=NOTHING_SET
    )
    assert settings.limits == {"latency_ms": 800.0}
    assert (settings.reports, settings.strict) == (Path("elsewhere"), True)


def test_no_secret_of_the_run_is_printed_and_all_are_redacted() -> None:
    environment = Settings.model_construct(
        bearer=SecretStr("bearer-secret"), fake_token=SecretStr("token-secret")
    )
    settings = run_settings(target=URL, environment=environment)
    assert "secret" not in f"{settings!r} {settings} {environment!r}"
    assert settings.redactor().text("bearer-secret token-secret") == "[redacted] [redacted]"
    assert RunSettings().redactor().text("bearer-secret") == "bearer-secret"
