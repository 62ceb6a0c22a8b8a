from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from harness.config.ice_options import ice_options
from harness.config.run import run_settings
from harness.config.settings import Settings
from harness.core.errors import UsageError
from tests.support.certificates import make_certificate

URL = "https://staging.example.com/session"
NOTHING_SET = Settings.model_construct()
TURN = '[{"urls": "turn:turn.example.com", "username": "me", "credential": "turn-secret"}]'


def test_ice_servers_of_options_go_before_those_of_the_environment() -> None:
    environment = Settings.model_construct(
        ice_servers=SecretStr(TURN), ice_username="other", ice_credential=SecretStr("other-secret")
    )
    fallen_back = run_settings(target=URL, environment=environment).the_target
    assert [server.username for server in fallen_back.ice_servers] == ["me"]
    given = ice_options(["stun:stun.example.com", "turn:turn.example.com"], environment=environment)
    target = run_settings(target=URL, ice=given, environment=environment).the_target
    assert [server.username for server in target.ice_servers] == ["", "other"]
    assert "other-secret" in target.secrets()
    fetched = run_settings(target=URL, ice=ice_options(servers_from="/ice"), environment=environment)
    assert (fetched.the_target.ice_servers, fetched.the_target.ice_servers_from) == ((), "/ice")


def test_the_embedded_pair_is_called_with_the_ice_servers_that_are_given() -> None:
    environment = Settings.model_construct(ice_servers=SecretStr(TURN))
    settings = run_settings(ice=ice_options(policy="relay"), environment=environment)
    assert settings.ice_addresses() is None  # from loopback no server elsewhere can be asked
    target = settings.with_pair("http://127.0.0.1:1/session", "http://127.0.0.1:2").the_target
    assert target.relay_only
    assert [server.urls for server in target.ice_servers] == [("turn:turn.example.com",)]
    near = ice_options(["stun:127.0.0.1:3478"], environment=NOTHING_SET)
    assert run_settings(ice=near, environment=NOTHING_SET).ice_addresses() == ["127.0.0.1"]


@pytest.mark.parametrize("target", [None, URL])
def test_relaying_only_needs_somebody_who_relays(target: str | None) -> None:
    only = ice_options(["stun:stun.example.com"], policy="relay", environment=NOTHING_SET)
    with pytest.raises(UsageError, match="needs a TURN server"):
        run_settings(target=target, ice=only, environment=NOTHING_SET)


def test_ice_servers_of_a_named_target_go_before_those_of_the_environment(tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    config.write_text(
        f'[targets.staging]\nurl = "{URL}"\nice_servers = [{{urls = "stun:own.example.com"}}]\n'
    )
    environment = Settings.model_construct(ice_servers=SecretStr(TURN))
    own = run_settings(target="staging", config=config, environment=environment).the_target
    assert [server.urls for server in own.ice_servers] == [("stun:own.example.com",)]
    given = ice_options(["stun:given.example.com"], environment=environment)
    target = run_settings(target="staging", config=config, ice=given, environment=environment).the_target
    assert [server.urls for server in target.ice_servers] == [("stun:given.example.com",)]


def test_policy_authority_and_endpoint_come_from_the_environment_too(tmp_path: Path) -> None:
    ca = make_certificate(tmp_path).ca
    environment = Settings.model_construct(
        ice_servers_from="/ice", ice_transport_policy="relay", ice_ca=ca, ice_servers=SecretStr(TURN)
    )
    target = run_settings(target=URL, environment=environment).the_target
    assert (target.ice_servers_from, target.relay_only, target.ice_ca) == ("/ice", True, ca)
    given = ice_options(["stun:stun.example.com"], policy="all", environment=environment)
    target = run_settings(target=URL, ice=given, environment=environment).the_target
    assert (target.ice_servers_from, target.relay_only, target.ice_ca) == ("", False, ca)


def test_a_named_target_may_fetch_its_servers_and_trust_its_own_authority(tmp_path: Path) -> None:
    ca = make_certificate(tmp_path).ca
    config = tmp_path / "harness.toml"
    config.write_text(
        f'[targets.staging]\nurl = "{URL}"\nice_servers_from = "/ice"\nice_ca = "{ca.name}"\n'
        'ice_transport_policy = "relay"\n'
    )
    own = run_settings(target="staging", config=config, environment=NOTHING_SET).the_target
    assert (own.ice_servers_from, own.relay_only, own.ice_ca) == ("/ice", True, ca)
    config.write_text(f'[targets.staging]\nurl = "{URL}"\nice_ca = "none.pem"\n')
    with pytest.raises(UsageError, match=r"harness.toml.*holds no authority"):
        run_settings(target="staging", config=config, environment=NOTHING_SET)
