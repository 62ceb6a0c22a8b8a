import json
from email import message_from_bytes
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import FormParser, parse_options_header

from harness.config.target import DIALECT_NAMES
from harness.core.errors import UsageError
from harness.signaling.dialects import DIALECTS, Body, dialect_named
from tests.signaling.conftest import ANSWER, OFFER

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda n: n not in ("sdp", "type")
)
fields = st.dictionaries(names, json_values, max_size=3)


def test_the_names_that_targets_may_give_are_the_dialects() -> None:
    assert tuple(DIALECTS) == DIALECT_NAMES


def test_an_unknown_dialect_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match="there is no dialect 'jsn'") as refused:
        dialect_named("jsn")
    assert "json" in refused.value.remedy
    with pytest.raises(UsageError) as refused:
        dialect_named("whip")
    assert "multipart" in refused.value.remedy


@given(offer=st.text(), extra=fields)
def test_json_carries_the_offer_and_the_fields(offer: str, extra: dict[str, object]) -> None:
    body = dialect_named("json").wrap(offer, extra)
    assert json.loads(body.content) == {**extra, "sdp": offer}
    typed = dialect_named("json-answer").wrap(offer, extra)
    assert json.loads(typed.content) == {**extra, "sdp": offer, "type": "offer"}
    assert {body.content_type, typed.content_type} == {"application/json"}


def test_sdp_is_the_offer_byte_for_byte() -> None:
    assert dialect_named("sdp").wrap(OFFER, {}) == Body(OFFER.encode(), "application/sdp")


def parts_of(body: Body) -> dict[bytes, bytes]:
    """The form as the parser of common servers reads it."""
    _, options = parse_options_header(body.content_type)
    found: dict[bytes, bytes] = {}

    def on_field(field: object) -> None:
        found[field.field_name] = field.value or b""  # type: ignore[attr-defined]  # the package's own protocol

    parser = FormParser("multipart/form-data", on_field, None, boundary=options[b"boundary"])
    parser.write(body.content)
    parser.finalize()
    return found


@given(offer=st.text(st.characters(codec="utf-8")), extra=fields)
def test_a_form_is_read_back_whatever_it_holds(offer: str, extra: dict[str, object]) -> None:
    found = parts_of(dialect_named("multipart").wrap(offer, extra))
    assert found[b"sdp"] == offer.encode()
    for name, value in extra.items():
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
        assert found[quoted].decode() == (value if isinstance(value, str) else json.dumps(value))


def test_the_parts_of_a_form_say_their_types() -> None:
    body = dialect_named("multipart").wrap(OFFER, {"session": {"type": "realtime"}, "room": "7"})
    message = message_from_bytes(
        f"Content-Type: {body.content_type}\r\n\r\n".encode() + body.content, policy=HTTP
    )
    types = {
        part.get_param("name", header="content-disposition"): part.get_content_type()
        for part in message.iter_parts()
    }
    assert types == {"sdp": "application/sdp", "session": "application/json", "room": "text/plain"}


def test_the_same_form_is_the_same_bytes_and_its_boundary_never_in_its_contents() -> None:
    wrap = dialect_named("multipart").wrap
    first = wrap(OFFER, {})
    boundary = first.content_type.partition("boundary=")[2]
    assert first == wrap(OFFER, {})
    assert len(parts_of(wrap(f"--{boundary}\r\n", {}))) == 1


@pytest.mark.parametrize("name", ["json", "sdp", "multipart"])
@given(body=st.text())
def test_a_text_answer_is_taken_as_it_came(name: str, body: str) -> None:
    assert dialect_named(name).unwrap(body) == body


def test_a_json_answer_is_unwrapped_and_anything_else_left_for_the_requirements() -> None:
    unwrap = dialect_named("json-answer").unwrap
    assert unwrap(json.dumps({"type": "answer", "sdp": ANSWER})) == ANSWER
    for body in (ANSWER, "", "{", "[]", '{"sdp": 3}', '{"error": "no"}', "[" * 100_000):
        assert unwrap(body) == body
