import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from harness.config.ice import IceConfiguration, IceServer, ice_server, parse_ice_servers, parse_ice_url
from harness.core.errors import UsageError
from tests.support.certificates import make_certificate

SECRET = SecretStr("turn-password")


@pytest.mark.parametrize(
    "url",
    [
        "stun:stun.example.com",
        "stun:192.0.2.1:3478",
        "stuns:[2001:db8::1]:5349",
        "stun:stun-1.example.com:19302",
    ],
)
def test_a_stun_server_needs_no_credentials(url: str) -> None:
    assert IceServer((url,)).urls == (url,)


@pytest.mark.parametrize(
    "url",
    [
        "turn:turn.example.com",
        "turn:192.0.2.1:3478?transport=udp",
        "turns:turn.example.com:443?transport=tcp",
    ],
)
def test_a_turn_server_needs_username_and_credential(url: str) -> None:
    assert IceServer((url,), "me", SECRET).username == "me"
    for username, credential in (("", SECRET), ("me", SecretStr(""))):
        with pytest.raises(UsageError, match="no username or credential"):
            IceServer((url,), username, credential)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "stun",
        "stun:",
        "stun://stun.example.com",
        "http://stun.example.com",
        "stun:host:0",
        "stun:host:70000",
        "turn:host?transport=sctp",
        "stun:ho st",
        "stun:host\n",
    ],
)
def test_what_no_browser_would_take_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of an ICE server") as refused:
        IceServer(("stun:stun.example.com", url), "me", SECRET)
    assert repr(url) in refused.value.message


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="is not the URL of an ICE server") as refused:
        IceServer(("turn:user:password@host",))
    assert "password" not in str(refused.value)


def test_a_transport_is_for_turn_only() -> None:
    with pytest.raises(UsageError, match="which only TURN takes"):
        IceServer(("stun:host?transport=udp",))


def test_a_server_without_url_is_refused() -> None:
    with pytest.raises(UsageError, match="has no URL"):
        IceServer(())


def test_the_credential_is_not_printed() -> None:
    server = IceServer(("turn:host",), "me", SECRET)
    assert "turn-password" not in f"{server!r} {server}"


@pytest.mark.parametrize(
    ("url", "host", "port", "transport"),
    [
        ("stun:host", "host", 3478, "udp"),
        ("stuns:host", "host", 5349, "tcp"),
        ("turn:host:80?transport=tcp", "host", 80, "tcp"),
        ("turn:[2001:db8::1]", "2001:db8::1", 3478, "udp"),
        ("turns:host", "host", 5349, "tcp"),
        ("turns:host:443?transport=tcp", "host", 443, "tcp"),
        ("turns:host?transport=udp", "host", 5349, "tcp"),
    ],
)
def test_what_a_url_leaves_out_is_as_in_its_rfc(url: str, host: str, port: int, transport: str) -> None:
    parsed = parse_ice_url(url)
    assert (parsed.host, parsed.port, parsed.transport) == (host, port, transport)


LIST = '[{"urls": ["stun:a", "turn:b"], "username": "me", "credential": "turn-password"}, {"url": "stun:c"}]'


@pytest.mark.parametrize("text", [LIST, f'{{"iceServers": {LIST}}}', f'{{"ttl": 60, "ice_servers": {LIST}}}'])
def test_json_is_read_as_browsers_and_providers_write_it(text: str) -> None:
    assert parse_ice_servers(text, "HARNESS_ICE_SERVERS") == (
        IceServer(("stun:a", "turn:b"), "me", SECRET),
        IceServer(("stun:c",)),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stun:a turn-password", "is no JSON"),
        ('"turn-password"', "holds no list"),
        ('["turn-password"]', "server 1 is no object"),
        ('[{"urls": "stun:a"}, {"credential": "turn-password"}]', "server 2 has no urls"),
        ('[{"urls": [], "credential": "turn-password"}]', "has no urls"),
        ('[{"urls": "turn:a", "username": 7, "credential": "turn-password"}]', "is not text"),
    ],
)
def test_what_is_no_list_of_servers_is_named_without_its_secrets(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        parse_ice_servers(text, "HARNESS_ICE_SERVERS")
    assert refused.value.message.startswith("HARNESS_ICE_SERVERS")
    assert "turn-password" not in str(refused.value)


def test_an_option_is_a_url_or_json() -> None:
    assert ice_server("stun:a", "me", SECRET) == (IceServer(("stun:a",)),)
    assert ice_server("turn:a", "me", SECRET) == (IceServer(("turn:a",), "me", SECRET),)
    assert len(ice_server(LIST)) == 2
    with pytest.raises(UsageError, match="no username or credential"):
        ice_server("turn:a")


@pytest.mark.parametrize("address", ["ftp://host/ice", "ice", "//host/ice", "https://me:pw@host/ice"])
def test_servers_are_fetched_over_http_only(address: str) -> None:
    with pytest.raises(UsageError, match="not a place to fetch ICE servers from") as refused:
        IceConfiguration(servers_from=address)
    assert "pw" not in str(refused.value)


def test_a_policy_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="choose all or relay"):
        IceConfiguration(policy="public")


def test_an_authority_is_a_file_of_certificates(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no authority to trust: No such file"):
        IceConfiguration(ca_file=tmp_path / "none.pem")
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(UsageError, match="holds no authority"):
        IceConfiguration(ca_file=tmp_path / "empty.pem")
    assert IceConfiguration(ca_file=make_certificate(tmp_path).ca)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["stun:a", "turn:b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["urls", "url", "username", "credential", "iceServers", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_servers_or_a_usage_error(found: object) -> None:
    with contextlib.suppress(UsageError):
        servers = parse_ice_servers(json.dumps(found), "HARNESS_ICE_SERVERS")
        assert all(server.parsed() for server in servers)


@given(st.text(max_size=40) | st.from_regex(r"(stuns?|turns?):[a-z0-9.\[\]:]{0,20}(\?transport=[a-z]{3})?"))
def test_any_text_is_a_url_with_a_port_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parsed = parse_ice_url(text)
        assert parsed.host
        assert 0 < parsed.port < 65536
