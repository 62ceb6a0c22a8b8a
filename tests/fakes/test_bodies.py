"""Multipart as it came: exact bytes, exact headers, and a clear no for what it is not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fakes.bodies import FormPart, MultipartInvalidError, media_type, parse_multipart
from harness.fakes.relay.upstream import write_form

FORM = "multipart/form-data; boundary=xyz"


@given(st.binary(max_size=2000), st.binary(max_size=500))
def test_bytes_come_out_as_they_went_in(offer: bytes, session: bytes) -> None:
    """Not a CR, an LF or a trailing space may be lost: the offer is forwarded byte for byte."""
    form = write_form(offer, session)
    parts = parse_multipart(form.body, form.content_type)
    assert [(p.name, p.body, p.content_type) for p in parts] == [
        ("sdp", offer, "application/sdp"),
        ("session", session, "application/json"),
    ]


def test_a_part_may_have_no_type_and_a_file_name() -> None:
    """A browser's FormData sends the one without a type, and files with a name."""
    body = (
        b'--xyz\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="session"; filename="s.json"\r\n\r\n{}\r\n--xyz--\r\n'
    )
    sdp, session = parse_multipart(body, FORM)
    assert sdp == FormPart("sdp", b"v=0\r\n", headers=(("content-disposition", 'form-data; name="sdp"'),))
    assert (session.filename, session.body) == ("s.json", b"{}")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--xyz--"),
        (f"multipart/form-data; boundary={'x' * 71}", b""),
        (FORM, b""),
        (FORM, b"v=0\r\n"),
        (FORM, b'--abc\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--abc--\r\n'),
        (FORM, b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'),
        (FORM, b"--xyz\r\nContent-Type: text/plain\r\n\r\nb\r\n--xyz--\r\n"),
        (FORM, b'--xyz\r\nContent-Disposition: attachment; name="a"\r\n\r\nb\r\n--xyz--\r\n'),
    ],
)
def test_what_is_no_multipart_is_refused(content_type: str, body: bytes) -> None:
    """No boundary, the wrong one, no end, or a part without a name."""
    with pytest.raises(MultipartInvalidError):
        parse_multipart(body, content_type)


@given(st.binary(max_size=3000))
def test_arbitrary_bytes_are_parsed_or_refused(body: bytes) -> None:
    """Nothing else may happen."""
    with contextlib.suppress(MultipartInvalidError):
        parse_multipart(body, FORM)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ""),
        ("", ""),
        ("Application/SDP; charset=utf-8", "application/sdp"),
        (FORM, "multipart/form-data"),
    ],
)
def test_a_media_type_is_read_without_parameters(header: str | None, expected: str) -> None:
    """In lower case, for comparison."""
    assert media_type(header) == expected
