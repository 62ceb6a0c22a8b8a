import json
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.redaction import REDACTED, SECRET_HEADERS, SHORTEST_SECRET, Redactor, leaked_key

KEY = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWx"
EPHEMERAL = "ek_68af296e8e408191a1120ab6383263c2"

# Any text is a secret, except what stands in "[redacted]" itself: that cannot vanish from what is written.
secrets = st.text(min_size=SHORTEST_SECRET, max_size=20).filter(
    lambda s: s not in REDACTED and "[" not in s and "]" not in s
)
some_secrets = st.lists(secrets, min_size=1, max_size=4)
texts = st.text(max_size=10)


def nested(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON values, and tuples, with such texts as keys and values."""
    return st.recursive(
        leaves | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
        lambda inner: (
            st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(leaves, inner, max_size=3)
        ),
        max_leaves=8,
    )


def leaves_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [leaf for pair in value.items() for item in pair for leaf in leaves_of(item)]
    return [leaf for item in value for leaf in leaves_of(item)] if isinstance(value, list) else []


# --- no known secret survives ---


@settings(max_examples=50)
@given(known=some_secrets, data=st.data())
def test_no_known_secret_survives_in_a_text(known: list[str], data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.sampled_from(known) | texts, max_size=6)))
    redacted = Redactor(known).text(text)
    assert not any(secret in redacted for secret in known)


@settings(max_examples=50)
@given(known=some_secrets, data=st.data())
def test_no_known_secret_survives_in_bytes_and_the_rest_stays(known: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from(known).map(str.encode) | st.binary(max_size=6), max_size=6))
    redacted = Redactor(known).data(b"".join(pieces))
    assert not any(secret.encode() in redacted for secret in known)
    untouched = data.draw(st.binary(max_size=5))  # too short for any secret
    assert Redactor(known).data(untouched) == untouched


@settings(max_examples=50)
@given(known=some_secrets, data=st.data())
def test_no_known_secret_survives_in_a_header(known: list[str], data: st.DataObject) -> None:
    values = st.sampled_from(known) | texts
    value = "".join(data.draw(st.lists(values, max_size=3)))
    name = data.draw(st.sampled_from([*sorted(SECRET_HEADERS), "X-Debug", "Location"]))
    ((kept, redacted),) = Redactor(known).headers([(name, value)])
    assert kept == name
    assert not any(secret in redacted for secret in known)


@settings(max_examples=50)
@given(known=some_secrets, data=st.data())
def test_no_known_secret_survives_in_nested_values(known: list[str], data: st.DataObject) -> None:
    value = data.draw(nested(st.sampled_from(known) | texts))
    redacted = Redactor(known).value(value)
    assert not any(secret in leaf for leaf in leaves_of(redacted) for secret in known)
    json.dumps(redacted)


@given(secret=secrets)
def test_no_known_secret_survives_as_it_stands_in_json_or_in_a_url(secret: str) -> None:
    written = [
        json.dumps({"token": secret}),
        json.dumps({"token": secret}, ensure_ascii=False),
        f"https://relay.example.com/{quote(secret, safe='')}/x",
        f"https://relay.example.com/{quote(secret)}",
        f"https://relay.example.com/?{urlencode({'token': secret})}",
    ]
    in_some_form = {json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret)}
    for text in map(Redactor([secret]).text, written):
        assert REDACTED in text
        assert not any(form in text for form in in_some_form)


def test_of_two_secrets_the_longer_goes_whole() -> None:
    redactor = Redactor(["abcdef", "abcdef-ghijkl"])
    assert redactor.text("abcdef-ghijkl abcdef") == f"{REDACTED} {REDACTED}"


def test_what_is_shorter_than_a_secret_may_be_stays_and_so_does_the_text() -> None:
    assert SHORTEST_SECRET == 6
    assert Redactor(["12345", ""]).text("the port is 12345") == "the port is 12345"
    assert Redactor(["123456"]).text("the port is 123456") == f"the port is {REDACTED}"


@given(value=nested(texts))
def test_what_holds_no_secret_stays_as_it_is(value: Any) -> None:
    def as_json(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: as_json(item) for key, item in value.items()}
        return [as_json(item) for item in value] if isinstance(value, list | tuple) else value

    assert Redactor().value(value) == as_json(value)
    assert Redactor(["a-secret-of-nobody's"]).value(value) == as_json(value)


def test_keys_of_objects_are_redacted_and_other_values_pass() -> None:
    redactor = Redactor(["hunter2-hunter2"])
    value = {"hunter2-hunter2": [1, 2.5, None, True, ("hunter2-hunter2",)]}
    assert redactor.value(value) == {REDACTED: [1, 2.5, None, True, [REDACTED]]}


# --- credentials by their place ---


@pytest.mark.parametrize("name", sorted(SECRET_HEADERS))
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_credential_header_loses_its_value_whatever_it_looks_like(name: str, case: Any) -> None:
    assert Redactor().headers([(case(name), "x1")]) == ((case(name), REDACTED),)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BASIC"])
def test_the_scheme_of_an_authorization_stays_readable(scheme: str) -> None:
    (header,) = Redactor().headers([("Authorization", f"{scheme} dXNlcjpwYXNz more")])
    assert header == ("Authorization", f"{scheme} {REDACTED}")


@pytest.mark.parametrize("key", [KEY, EPHEMERAL])
@pytest.mark.parametrize("known", [True, False])
def test_a_secret_key_is_told_from_an_ephemeral_one_wherever_it_stands(key: str, *, known: bool) -> None:
    """Whether a bare offer is right depends on which of them the relay used."""
    redactor = Redactor([key] if known else [])
    assert redactor.headers([("Authorization", f"Bearer {key}"), ("api-key", key)]) == (
        ("Authorization", f"Bearer {key[:3]}{REDACTED}"),
        ("api-key", f"{key[:3]}{REDACTED}"),
    )
    assert redactor.text(f"the key is {key}") == f"the key is {key[:3]}{REDACTED}"


@pytest.mark.parametrize("value", ["Bearer", "Digest username=me, response=abc", "abc def", ""])
def test_without_a_known_scheme_nothing_of_it_stays(value: str) -> None:
    assert Redactor().headers([("Authorization", value)]) == (("Authorization", REDACTED),)


def test_a_header_that_is_named_as_a_credential_is_one_however_it_is_written() -> None:
    redactor = Redactor(headers=["X-Device", "x-pin"])
    assert redactor.headers([("x-device", "17"), ("X-PIN", "1234"), ("X-Pinned", "1234")]) == (
        ("x-device", REDACTED),
        ("X-PIN", REDACTED),
        ("X-Pinned", "1234"),
    )
    assert redactor.text("1234") == "1234"


def test_other_headers_keep_their_order_and_values() -> None:
    headers = (("Content-Type", "application/sdp"), ("x-b", "1"), ("x-a", "2"), ("x-b", "3"))
    assert Redactor(["anything"]).headers(headers) == headers


# --- keys that nobody told us of ---


@pytest.mark.parametrize("key", [KEY, EPHEMERAL, "sk-" + "a" * 16])
@pytest.mark.parametrize(
    "around",
    ["{}", '{{"key": "{}"}}', "Incorrect API key provided: {}.", "Bearer {}", "x={}&y", "OPENAI_{}"],
)
def test_a_key_leaves_only_its_first_characters(key: str, around: str) -> None:
    assert Redactor().text(around.format(key)) == around.format(key[:3] + REDACTED)
    assert leaked_key(around.format(key)) == key[:3] + REDACTED


def test_a_key_is_found_where_json_and_urls_put_a_letter_or_a_digit_before_it() -> None:
    in_json, in_url = json.dumps(f"the key:\n{KEY}"), quote(f'{{"key":"{EPHEMERAL}"}}')
    assert Redactor().text(in_json) == f'"the key:\\nsk-{REDACTED}"'
    assert EPHEMERAL not in Redactor().text(in_url)
    assert leaked_key(in_url) == f"ek_{REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "risk-assessment-for-this-quarter",
        "week_0123456789abcdef0123",
        "sk-short",
        "sk-… is a key",
        "sk_0123456789abcdef0123",
        "",
    ],
)
def test_ordinary_words_are_no_keys(text: str) -> None:
    assert Redactor().text(text) == text
    assert leaked_key(text) is None


def test_every_key_in_a_text_goes_and_the_first_is_the_proof() -> None:
    assert Redactor().text(f"{EPHEMERAL} {KEY}") == f"ek_{REDACTED} sk-{REDACTED}"
    assert leaked_key(f"{EPHEMERAL} {KEY}") == f"ek_{REDACTED}"


@pytest.mark.parametrize("key", ["sk-test", "ek_1", "sk-" + "a" * 40])
def test_of_a_key_in_a_header_the_kind_stays_however_short_it_is(key: str) -> None:
    shown = dict(Redactor().headers([("Authorization", f"Bearer {key}"), ("api-key", key)]))
    assert shown == {"Authorization": f"Bearer {key[:3]}[redacted]", "api-key": f"{key[:3]}[redacted]"}
