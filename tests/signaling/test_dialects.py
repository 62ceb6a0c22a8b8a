import json
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import FormParser, parse_options_header

from harness.core.dialects import ANYWHERE, DIALECTS, Dialect, dialect_named
from harness.core.errors import UsageError
from harness.core.json_paths import at, put
from harness.signaling.dialects import Body, unwrap, wrap
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


def test_an_unknown_dialect_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match="there is no dialect 'jsn'") as refused:
        dialect_named("jsn")
    assert "json" in refused.value.remedy
    with pytest.raises(UsageError) as refused:
        dialect_named("rtmp")
    assert "multipart" in refused.value.remedy


@given(offer=st.text(), extra=fields)
def test_json_carries_the_offer_and_the_fields(offer: str, extra: dict[str, object]) -> None:
    body = wrap(dialect_named("json"), offer, extra)
    assert json.loads(body.content) == {**extra, "sdp": offer}
    typed = wrap(dialect_named("json-answer"), offer, extra)
    assert json.loads(typed.content) == {**extra, "sdp": offer, "type": "offer"}
    assert {body.content_type, typed.content_type} == {"application/json"}


def test_sdp_is_the_offer_byte_for_byte() -> None:
    assert wrap(dialect_named("sdp"), OFFER) == Body(OFFER.encode(), "application/sdp")


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
    found = parts_of(wrap(dialect_named("multipart"), offer, extra))
    assert found[b"sdp"] == offer.encode()
    for name, value in extra.items():
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
        assert found[quoted].decode() == (value if isinstance(value, str) else json.dumps(value))


def test_the_parts_of_a_form_say_their_types() -> None:
    body = wrap(dialect_named("multipart"), OFFER, {"session": {"type": "realtime"}, "room": "7"})
    message = message_from_bytes(
        f"Content-Type: {body.content_type}\r\n\r\n".encode() + body.content, policy=HTTP
    )
    types = {
        part.get_param("name", header="content-disposition"): part.get_content_type()
        for part in message.iter_parts()
    }
    assert types == {"sdp": "application/sdp", "session": "application/json", "room": "text/plain"}


def test_the_same_form_is_the_same_bytes_and_its_boundary_never_in_its_contents() -> None:
    form = dialect_named("multipart")
    first = wrap(form, OFFER)
    boundary = first.content_type.partition("boundary=")[2]
    assert first == wrap(form, OFFER)
    assert len(parts_of(wrap(form, f"--{boundary}\r\n"))) == 1


@pytest.mark.parametrize("name", ["json", "sdp", "multipart"])
@given(body=st.text())
def test_a_text_answer_is_taken_as_it_came(name: str, body: str) -> None:
    assert unwrap(dialect_named(name), body) == body


def test_a_json_answer_is_unwrapped_and_anything_else_left_for_the_requirements() -> None:
    dialect = dialect_named("json-answer")
    assert unwrap(dialect, json.dumps({"type": "answer", "sdp": ANSWER})) == ANSWER
    for body in (ANSWER, "", "{", "[]", '{"sdp": 3}', '{"error": "no"}', "[" * 100_000):
        assert unwrap(dialect, body) == body


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=str)
def test_every_row_of_the_table_brings_offer_and_answer_where_it_says(dialect: Dialect) -> None:
    body = wrap(dialect, OFFER)
    assert body.content_type.partition(";")[0] == dialect.content_type
    if dialect.content_type == "application/json":
        assert at(json.loads(body.content), dialect.offer) == OFFER
    if dialect.answer:
        assert unwrap(dialect, json.dumps(put({"other": 1}, dialect.answer, ANSWER))) == ANSWER
    else:
        assert unwrap(dialect, ANSWER) == ANSWER


def test_the_offer_keeps_its_place_whatever_stands_beside_it() -> None:
    dialect = Dialect("own", offer="a.b.sdp", fields={"a": {"b": {"type": "offer"}, "c": 1}})
    content = json.loads(wrap(dialect, OFFER, {"a": {"b": {"sdp": "x"}, "d": 2}, "e": 3}).content)
    assert content == {"a": {"b": {"type": "offer", "sdp": OFFER}, "c": 1, "d": 2}, "e": 3}


def test_a_url_encoded_form_carries_the_offer() -> None:
    body = wrap(Dialect("own", content_type="application/x-www-form-urlencoded"), OFFER, {"room": "7"})
    assert dict(parse_qsl(body.content.decode())) == {"sdp": OFFER, "room": "7"}


@pytest.mark.parametrize(
    ("answer", "body", "found"),
    [
        ("data.answer.sdp", {"data": {"answer": {"sdp": ANSWER}}}, ANSWER),
        ("items.1", {"items": ["x", ANSWER]}, ANSWER),
        (".", ANSWER, ANSWER),
        (ANYWHERE, {"deep": [{"er": {"x": "v=1", "y": ANSWER}}]}, ANSWER),
        (ANYWHERE, {"log": f"the answer is {ANSWER}"}, None),  # SDP inside a longer text is no answer
        (ANYWHERE, {"error": "no"}, None),
        ("data.sdp", {"data": ANSWER}, None),
    ],
)
def test_an_answer_is_taken_from_its_place_alone(answer: str, body: object, found: str | None) -> None:
    text = json.dumps(body)
    assert unwrap(Dialect("own", answer=answer), text) == (text if found is None else found)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"content_type": "text/html"}, "cannot be sent as 'text/html'"),
        ({"method": "DELETE"}, "cannot be sent with 'DELETE'"),
        ({"content_type": "application/sdp"}, "the offer is the body itself"),
        ({"content_type": "text/plain", "offer": "", "fields": {"a": 1}}, "the offer is the body itself"),
        ({"offer": ""}, "the offer needs a place"),
        ({"offer": "a..b"}, "'a..b' is no place in JSON"),
        ({"answer": "a b"}, "'a b' is no place in JSON"),
        ({"statuses": (302,)}, "only a status from 200 to 299"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_line(said: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        Dialect("own", **said)
    assert refused.value.remedy


def test_statuses_bring_an_answer() -> None:
    assert [Dialect("own").takes(status) for status in (200, 201, 204, 302, 400)] == [True] * 3 + [False] * 2
    assert [Dialect("own", statuses=(201,)).takes(status) for status in (200, 201)] == [False, True]
