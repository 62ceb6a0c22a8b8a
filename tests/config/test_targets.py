from pathlib import Path

import pytest
from msgspec import structs

from harness.config.hooks import BeforeCall, UsageEndpoint
from harness.config.run import run_settings
from harness.config.settings import Settings
from harness.config.targets import NamedTarget, find_config, load_named_target
from harness.core.errors import UsageError
from harness.core.prices import PRICES

NOTHING_SET = Settings.model_construct()
WHOLE = """\
# the team's targets
[targets.staging]
url = "https://staging.example.com/api/session?room=7"
dialect = "multipart"
origin = "https://app.example.com"
auth = "required"
bearer_env = "STAGING_TOKEN"
fake_openai = "127.0.0.1:8089"
concurrency = 4
ice_transport_policy = "relay"
headers = { X-Tenant = "acme" }
headers_env = { X-Api-Key = "STAGING_API_KEY" }
cookies_env = { session = "STAGING_SESSION" }
query_env = { code = "STAGING_CODE" }
fields = { mode = "voice", nested = { a = [1, 2] } }
fields_env = { csrf = "STAGING_CSRF" }

[[targets.staging.ice_servers]]
urls = "stun:stun.example.com"
[[targets.staging.ice_servers]]
urls = ["turn:turn.example.com:3478?transport=udp", "turn:turn.example.com:443?transport=tcp"]
username_env = "TURN_USER"
credential_env = "TURN_CREDENTIAL"

[targets.staging.limits]
latency_ms = 1500
cost_per_run_usd = 0.5

[targets.staging.prices]
my-deployment.like = "gpt-realtime"
"own.1" = { like = "gpt-realtime-mini", audio_in = 7, audio_cached = 0 }

[targets.staging.before_call]
url = "/api/chats"
body = { title = "voice test" }
fields = { chatId = "data.id" }
secret_fields = { token = "data.token" }
timeout_s = 3

[targets.staging.usage]
url = "/api/usage"
field = "data.total.usd"
settle_s = 20

[targets.local]
url = "http://127.0.0.1:3000/session"
"""
SECRETS = {
    "STAGING_TOKEN": "bearer-secret",
    "STAGING_API_KEY": "header-secret",
    "STAGING_SESSION": "cookie-secret",
    "STAGING_CODE": "query-secret&?",
    "STAGING_CSRF": "field-secret",
    "TURN_USER": "turn-user",
    "TURN_CREDENTIAL": "turn-secret",
}


def load(text: str, tmp_path: Path, name: str = "staging") -> NamedTarget:
    config = tmp_path / "harness.toml"
    config.write_text(text, encoding="utf-8")
    return load_named_target(name, config, SECRETS)


def line_of(written: str) -> int:
    """Where the text stands, counted from 1."""
    return WHOLE[: WHOLE.index(written)].count("\n") + 1


def test_a_target_is_read_with_its_secrets_from_the_environment(tmp_path: Path) -> None:
    named = load(WHOLE, tmp_path)
    target = named.target
    assert target.url == "https://staging.example.com/api/session?room=7&code=query-secret%26%3F"
    assert (target.name, target.dialect, target.origin) == ("staging", "multipart", "https://app.example.com")
    assert dict(target.request_headers()) == {
        "X-Tenant": "acme",
        "X-Api-Key": "header-secret",
        "Origin": "https://app.example.com",
        "Authorization": "Bearer bearer-secret",
        "Cookie": "session=cookie-secret",
    }
    assert target.extra_fields() == {"mode": "voice", "nested": {"a": [1, 2]}, "csrf": "field-secret"}
    stun, turn = target.ice_servers
    assert (stun.urls, stun.username) == (("stun:stun.example.com",), "")
    assert len(turn.urls) == 2
    assert (turn.username, turn.credential.get_secret_value()) == ("turn-user", "turn-secret")
    assert target.relay_only
    assert target.wants_credentials
    assert target.before_call == BeforeCall(
        url="https://staging.example.com/api/chats",
        body={"title": "voice test"},
        fields={"chatId": "data.id"},
        secret_fields={"token": "data.token"},
        timeout=3.0,
    )
    assert target.usage == UsageEndpoint(
        url="https://staging.example.com/api/usage", number="data.total.usd", unit="usd", settle=20.0
    )
    assert (named.fake_openai, named.concurrency) == ("127.0.0.1:8089", 4)
    assert named.limits == {"latency_ms": 1500.0, "cost_per_run_usd": 0.5}
    assert named.prices["my-deployment"] == PRICES["gpt-realtime"]
    assert named.prices["own.1"] == structs.replace(
        PRICES["gpt-realtime-mini"], audio_in=7.0, audio_cached=0.0
    )


def test_no_secret_of_a_target_is_shown_and_all_are_redacted(tmp_path: Path) -> None:
    target = load(WHOLE, tmp_path).target
    redact = target.redactor().text
    for value in (v for name, v in SECRETS.items() if name != "TURN_USER"):
        assert value not in f"{target!r} {target.shown_url}"
        assert redact(f"it is {value}") == "it is [redacted]"


def test_a_relay_that_declares_itself_open_is_not_asked_without_credentials(tmp_path: Path) -> None:
    assert not load(WHOLE.replace('"required"', '"open"'), tmp_path).target.wants_credentials
    assert load(WHOLE.replace('auth = "required"\n', ""), tmp_path).target.wants_credentials
    assert not load(WHOLE, tmp_path, "local").target.wants_credentials


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ('dialect = "multipart"', 'dialct = "json"', "did you mean dialect"),
        ('dialect = "multipart"', 'dialect = "jsn"', "there is no dialect 'jsn'"),
        (
            'dialect = "multipart"',
            'dialect = { method = "PUT", ofer = "sdp" }',
            r"targets.staging.dialect.ofer: there is no such setting \(did you mean offer",
        ),
        ('dialect = "multipart"', 'dialect = { like = "jsn" }', "there is no dialect 'jsn'"),
        ('dialect = "multipart"', "dialect = { offer = 3 }", "valid string"),
        (
            'dialect = "multipart"',
            'dialect = { content_type = "text/html" }',
            "cannot be sent as 'text/html'",
        ),
        ('dialect = "multipart"', 'dialect = { answer = "a..b" }', "is no place in JSON"),
        (
            'dialect = "multipart"',
            'dialect = { headers = { Accept = "x" } }',
            "the header Accept cannot be set",
        ),
        ('dialect = "multipart"', 'dialect = { headers = { X-Api-Key = "abc" } }', "looks like a secret"),
        ('dialect = "multipart"', "dialect = 7", "dialect"),
        ('"https://staging', '"staging', "not a URL that an offer can be posted to"),
        ('"https://app.example.com"', '"app.example.com/x"', "is no origin"),
        ('auth = "required"', "auth = true", "'required' or 'open'"),
        ('bearer_env = "STAGING_TOKEN"', 'bearer_env = "UNSET"', "UNSET is not set"),
        ("concurrency = 4", 'concurrency = "4"', "valid integer"),
        ('"gpt-realtime"', '"gpt-realtme"', "did you mean gpt-realtime"),
        ("audio_in = 7", "audio_in = -7", "greater than or equal to 0"),
        ("audio_in = 7", "audio_on = 7", "did you mean audio_in"),
        ("latency_ms = 1500", "latncy_ms = 1500", "did you mean latency_ms"),
        ("latency_ms = 1500", 'latency_ms = "soon"', "valid number"),
        ("credential_env", "credentials_env", "did you mean credential_env"),
        ('"/api/chats"', '"api/chats"', "not a URL"),
        ("timeout_s = 3", "timeout = 3", "did you mean timeout_s"),
        ("timeout_s = 3", "timeout_s = 900", "less than or equal to 120"),
        ('"data.id"', '"data..id"', "match pattern"),
        ('"/api/usage"', '"api/usage"', "not a URL"),
        ('field = "data.total.usd"', 'fields = "data.total.usd"', "did you mean field"),
        ('"data.total.usd"', '"data..usd"', "match pattern"),
        ('field = "data.total.usd"', 'unit = "eur"', "'usd' or 'tokens'"),
        ("settle_s = 20", "settle_s = 0", "greater than 0"),
        ("settle_s = 20", 'timeout_s = "soon"', "valid number"),
        ('url = "/api/usage"', 'method = "POST"', "choose one of url, field, unit, timeout_s, settle_s"),
        ("[targets.local]", "[target.local]", "did you mean targets"),
        ("[targets.local]\nurl", "[targets.local]\norigin", "targets.local.url: this must be given"),
        ("[targets.local]", "[targets.local", "is not TOML"),
    ],
)
def test_a_mistake_is_named_at_its_line(written: str, instead: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        load(WHOLE.replace(written, instead), tmp_path)
    assert f"line {line_of(written)}" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ('"stun:stun', '"http://stun', "not the URL of an ICE server"),
        ('{ X-Tenant = "acme" }', '{ "X Tenant" = "acme" }', "the header 'X Tenant' cannot be sent"),
        ('"multipart"', '"sdp"', "no room for extra fields"),
    ],
)
def test_what_the_target_itself_refuses_is_named_at_its_table(
    written: str, instead: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        load(WHOLE.replace(written, instead), tmp_path)
    assert "line 2: targets.staging" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "instead", "remedy"),
    [
        ('bearer_env = "STAGING_TOKEN"', 'bearer = "hunter2-x"', "bearer_env = "),
        ('X-Tenant = "acme"', 'X-Api-Key = "hunter2-x"', "headers_env = { X-Api-Key"),
        ('X-Tenant = "acme"', 'Authorization = "hunter2-x"', "bearer_env = "),
        ('X-Tenant = "acme"', 'X-Tenant = "Bearer hunter2-x"', "headers_env"),
        ('mode = "voice"', 'csrfToken = "hunter2-x"', "fields_env = { csrfToken"),
        ('mode = "voice"', 'a = { b = ["sk-hunter2-xxxxxxxxxxxxxx"] }', "fields_env"),
        ("room=7", "token=hunter2-x", "query_env"),
        ('cookies_env = { session = "STAGING_SESSION" }', 'cookies = { s = "hunter2-x" }', "cookies_env"),
        ('credential_env = "TURN_CREDENTIAL"', 'credential = "hunter2-x"', "credential_env = "),
        ('title = "voice test"', 'password = "hunter2-x"', "environment variable"),
        ('title = "voice test"', 'title = "eyJhbGciOiJ.hunter2-x.x"', "environment variable"),
        ('"/api/usage"', '"/api/usage?key=hunter2-x"', "bearer_env, headers_env"),
        ('"/api/usage"', '"https://me:hunter2-x@x.example.com/"', "take it out"),
        ('"STAGING_TOKEN"', '"hunter2-x"', "the name and not the value"),
        ('"STAGING_CSRF"', '"hunter2-x"', "the name and not the value"),
        ('"https://staging', '"https://me:hunter2-x@staging', "take it out"),
    ],
)
def test_what_looks_like_a_secret_is_refused_at_its_line_and_not_repeated(
    written: str, instead: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        load(WHOLE.replace(written, instead), tmp_path)
    assert f"line {line_of(written)}:" in refused.value.message
    assert remedy in refused.value.remedy
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(refused.value.__cause__)


@pytest.mark.parametrize("variable", ["STAGING_CSRF", "STAGING_CODE", "TURN_CREDENTIAL"])
def test_a_secret_too_short_to_be_kept_out_of_reports_is_refused(variable: str, tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    config.write_text(WHOLE)
    with pytest.raises(UsageError, match=f"{variable} has under 6 characters"):
        load_named_target("staging", config, SECRETS | {variable: "abc12"})


def test_an_unknown_target_is_refused_with_near_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no target 'stagin' in") as refused:
        load(WHOLE, tmp_path, "stagin")
    assert refused.value.remedy == "did you mean staging?"


def test_a_name_without_a_file_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"'staging' is not a URL, and there is no harness\.toml"):
        load_named_target("staging")
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        load_named_target("staging", Path("nowhere.toml"))
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(UsageError, match="is no UTF-8"):
        load_named_target("staging", Path("latin.toml"))


def test_the_file_is_found_in_a_folder_above(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "harness.toml").write_text(WHOLE)
    assert find_config(inner) == tmp_path / "harness.toml"
    (inner / "harness.toml").write_text(WHOLE)
    assert find_config(inner) == inner / "harness.toml"


def test_options_go_before_the_file_and_the_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "harness.toml"
    config.write_text(WHOLE)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    environment = Settings.model_construct(
        dialect="json-answer", origin="https://env.example.com", fields={"a": 1}, config=config
    )
    settings = run_settings(target="staging", environment=environment)
    assert (settings.dialect, settings.the_target.origin) == ("multipart", "https://app.example.com")
    assert (settings.mode, settings.concurrency) == ("grey-box", 4)
    assert settings.limits["latency_ms"] == 1500
    given = run_settings(
        target="staging",
        config=config,
        dialect="json",
        origin="https://opt.example.com",
        auth="open",
        concurrency=1,
        limits={"latency_ms": 900.0},
        environment=environment,
    )
    assert (given.dialect, given.the_target.dialect) == ("json", "json")
    assert given.the_target.origin == "https://opt.example.com"
    assert not given.the_target.wants_credentials
    assert given.concurrency == 1
    assert given.limits == {"latency_ms": 900.0, "cost_per_run_usd": 0.5}
    silent = run_settings(target="local", environment=environment).the_target
    assert (silent.dialect, silent.origin) == ("json-answer", "https://env.example.com")
    assert silent.fields == {"a": 1}


def test_whether_a_dialect_was_given_is_known() -> None:
    url = "http://127.0.0.1:1/"
    assert not run_settings(target=url, environment=NOTHING_SET).dialect_given
    assert run_settings(target=url, dialect="json", environment=NOTHING_SET).dialect_given


def test_origin_and_credentials_reach_the_embedded_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_BEARER", "bearer-secret")
    settings = run_settings(origin="https://app.example.com").with_pair(
        "http://127.0.0.1:1/s", "http://127.0.0.1:2"
    )
    assert settings.the_target.origin == "https://app.example.com"
    assert settings.the_target.wants_credentials
