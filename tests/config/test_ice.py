import pytest
from pydantic import SecretStr

from harness.config.ice import IceServer
from harness.core.errors import UsageError

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
    with pytest.raises(UsageError, match="is no URL of an ICE server") as refused:
        IceServer(("stun:stun.example.com", url), "me", SECRET)
    assert repr(url) in refused.value.message


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="is no URL of an ICE server") as refused:
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
