import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from harness.config.ice import IceServer
from harness.config.target import Target, check_url
from harness.core.dialects import DIALECTS
from harness.core.errors import UsageError

URL = "https://staging.example.com/api/voice/webrtc/session"
SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay",
        "ftp://host/",
        "http://",
        "https:///path",
        "http://host:x/",
        "http://host:99999/",
        "http://host:0/",
        "http://a b/",
        "http://host/\n",
        "file:///etc/passwd",
        "//host/path",
        "http://höst/",
        "http://[::1/",
    ],
)
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        Target(url)
    assert repr(url) in refused.value.message
    assert "https://staging.example.com" in refused.value.remedy


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:8080", "http://[::1]:8080/x?room=7", "HTTPS://EXAMPLE.COM/"]
)
def test_a_url_is_taken_as_it_is(url: str) -> None:
    assert Target(url).url == url


@given(url=st.text() | st.from_regex(r"https?://[^/]*(/.*)?"))
def test_whatever_is_taken_for_a_url_can_be_requested(url: str) -> None:
    """Nothing that passes here may fail in the middle of a call."""
    try:
        check_url(url, "the target")
    except UsageError:
        return
    assert httpx.Request("POST", url).url.host


@pytest.mark.parametrize(
    "url", [f"https://me:{SECRET}@example.com/", f"ftp://me:{SECRET}@example.com/", f"https://me:{SECRET}/x"]
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        Target(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_is_taken(name: str) -> None:
    assert Target(URL, dialect=name).dialect == name


def test_an_unknown_dialect_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match="there is no dialect 'json-answr'") as refused:
        Target(URL, dialect="json-answr")
    assert "json-answer" in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X Tenant", "blue"),
        ("", "blue"),
        ("X-Tenant", "blue\r\nHost: evil"),
        ("X-Tenant", ""),
        ("X-Tenant", " blue"),
        ("X-Tenant", "blü"),
        ("Content-Type", "text/plain"),
        ("HOST", "evil"),
        ("cookie", "a=b"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="cannot be") as refused:
        Target(URL, headers=((name, value),))
    assert name in refused.value.message


@given(name=st.text(max_size=8), value=st.text(max_size=8))
def test_whatever_header_is_taken_can_be_sent(name: str, value: str) -> None:
    try:
        target = Target(URL, headers=((name, value),))
    except UsageError:
        return
    request = httpx.Request("POST", URL, headers=target.request_headers())
    assert request.headers[name] == value


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "123456"), ("sid", "12;34567"), ("sid", "1\n23456"), ("sid", "")]
)
def test_a_cookie_that_cannot_be_sent_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="cookie") as refused:
        Target(URL, cookies=((name, SecretStr(value)),))
    assert repr(name) in refused.value.message


@pytest.mark.parametrize("token", ["", "with\nnewline", "trailing ", "tökentoken"])
def test_a_bearer_token_that_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="bearer token cannot be sent"):
        Target(URL, bearer=SecretStr(token))


@pytest.mark.parametrize("origin", ["example.com", "https://example.com/", "https://", "ftp://example.com"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(UsageError, match="is no origin"):
        Target(URL, origin=origin)


@pytest.mark.parametrize("origin", ["https://example.com", "http://localhost:3000", "null"])
def test_an_origin_is_sent_as_a_browser_would(origin: str) -> None:
    assert ("Origin", origin) in Target(URL, origin=origin).request_headers(credentials=False)


@pytest.mark.parametrize("name", ["sdp", "type"])
def test_the_dialects_own_fields_cannot_be_replaced(name: str) -> None:
    with pytest.raises(UsageError, match=f"extra field '{name}'"):
        Target(URL, fields={name: "x"})


def test_fields_that_are_no_json_or_have_no_room_are_refused() -> None:
    with pytest.raises(UsageError, match="are not JSON"):
        Target(URL, fields={"room": {1, 2}})
    with pytest.raises(UsageError, match="are not JSON"):
        Target(URL, fields={"room": float("nan")})
    with pytest.raises(UsageError, match="dialect sdp has no room"):
        Target(URL, dialect="sdp", fields={"room": 7})


def test_a_header_that_is_secret_is_never_recorded_however_short() -> None:
    """Too short to be looked for in ordinary text, but its place is known."""
    target = Target(URL, headers=(("X-Pin", SecretStr("1234")), ("X-Tenant", "blue")))
    recorded = target.redactor().headers([("x-pin", "1234"), ("x-tenant", "blue")])
    assert recorded == (("x-pin", "[redacted]"), ("x-tenant", "blue"))


def full_target(*, url: str = URL) -> Target:
    """A target with a secret in each place that has room for one."""
    return Target(
        url + f"?room=7&access_token={SECRET}-query",
        headers=(
            ("X-Tenant", "blue"),
            ("X-Device", SecretStr(f"{SECRET}-device")),
            ("X-Api-Key", f"{SECRET}-key"),
        ),
        bearer=SecretStr(f"{SECRET}-bearer"),
        cookies=(("sid", SecretStr(f"{SECRET}-cookie")),),
        fields={"chat": 7, "token": SecretStr(f"{SECRET}-field")},
        ice_servers=(IceServer(("turn:turn.example.com:3478",), "me", SecretStr(f"{SECRET}-turn")),),
    )


def test_every_secret_is_known_for_redaction() -> None:
    kinds = {secret.removeprefix(f"{SECRET}-") for secret in full_target().secrets()}
    assert kinds == {"query", "device", "key", "bearer", "cookie", "field", "turn"}


def test_no_secret_is_printed_with_the_target() -> None:
    """Headers that are given in the clear are the exception: they are written in a file already."""
    target = full_target()
    for kind in ("device", "bearer", "cookie", "field", "turn"):
        assert f"{SECRET}-{kind}" not in f"{target!r} {target}"
    assert target.shown_url == f"{URL}?room=7&access_token=[redacted]"


def test_secrets_are_revealed_on_the_wire_alone() -> None:
    target = full_target()
    sent = dict(target.request_headers())
    assert sent["Authorization"] == f"Bearer {SECRET}-bearer"
    assert sent["Cookie"] == f"sid={SECRET}-cookie"
    assert target.extra_fields() == {"chat": 7, "token": f"{SECRET}-field"}
    anonymous = json.dumps(target.request_headers(credentials=False))
    assert SECRET not in anonymous
    assert "blue" in anonymous


def test_a_target_says_whether_it_has_credentials() -> None:
    assert not Target(URL, headers=(("X-Tenant", "blue"),)).has_credentials
    assert Target(URL, headers=(("X-Device", SecretStr(SECRET)),)).has_credentials
    assert Target(URL, headers=(("X-Api-Key", SECRET),)).has_credentials
    assert Target(URL, bearer=SecretStr(SECRET)).has_credentials
    assert Target(URL, cookies=(("sid", SecretStr(SECRET)),)).has_credentials


def test_a_target_knows_whether_it_is_on_this_machine() -> None:
    assert Target("http://[::1]:8080/").on_loopback
    assert not Target(URL).on_loopback
