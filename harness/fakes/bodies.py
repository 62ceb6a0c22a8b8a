"""Request bodies as they came: bounded in size and time, multipart with each part's headers and bytes."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

_UFRAG = re.compile(rb"a=ice-ufrag:([A-Za-z0-9+/]{4,256})")


class BodyTooLargeError(ValueError):
    """The body is longer than the limit."""


class BodyIncompleteError(ValueError):
    """The body did not arrive in full, or not in time."""


class MultipartInvalidError(ValueError):
    """The body is not the multipart that its Content-Type announces (RFC 2046, section 5.1)."""


@dataclass(frozen=True)
class FormPart:
    """One part of multipart/form-data (RFC 7578). `content_type` is None where the part has none."""

    name: str
    body: bytes
    content_type: str | None = None
    filename: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def peek_ufrag(body: bytes) -> str | None:
    """The first ice-ufrag in a body of any wrapping, also one that is percent-encoded: the call's name."""
    found = _UFRAG.search(body) or _UFRAG.search(unquote_to_bytes(body) if b"%3A" in body else b"")
    return found.group(1).decode() if found else None


async def read_body(request: Request, *, limit: int, within: float) -> bytes:
    """The whole body; raises BodyTooLargeError and BodyIncompleteError."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise BodyTooLargeError(f"the body is longer than {limit} bytes")
                chunks.append(chunk)
    except TimeoutError as error:
        raise BodyIncompleteError(f"the body did not arrive within {within:g} s") from error
    return b"".join(chunks)


def media_type(content_type: str | None) -> str:
    """The media type in lower case, without its parameters; `""` where there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def parse_multipart(body: bytes, content_type: str) -> tuple[FormPart, ...]:
    """All parts in their order; raises MultipartInvalidError."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:  # RFC 2046, section 5.1.1
        raise MultipartInvalidError("the Content-Type has no usable boundary")
    collector = _Collector()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.part_begin,
                "on_part_data": collector.part_data,
                "on_part_end": collector.part_end,
                "on_header_field": collector.header_field,
                "on_header_value": collector.header_value,
                "on_header_end": collector.header_end,
                "on_end": collector.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise MultipartInvalidError(str(error)) from error
    if not collector.ended:
        raise MultipartInvalidError("the closing boundary is missing")
    return tuple(collector.parts)


class _Collector:
    """Gathers what the streaming parser reports."""

    def __init__(self) -> None:
        self.parts: list[FormPart] = []
        self.ended = False
        self._headers: list[tuple[str, str]] = []
        self._field = b""
        self._value = b""
        self._body: list[bytes] = []

    def part_begin(self) -> None:
        self._headers, self._body = [], []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers.append((self._field.decode("latin-1").lower(), self._value.decode("latin-1").strip()))
        self._field = self._value = b""

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._body.append(data[start:end])

    def part_end(self) -> None:
        headers = dict(self._headers)
        disposition, options = parse_options_header(headers.get("content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise MultipartInvalidError("a part has no Content-Disposition: form-data with a name")
        filename = options.get(b"filename")
        self.parts.append(
            FormPart(
                name=options[b"name"].decode("utf-8", "replace"),
                body=b"".join(self._body),
                content_type=headers.get("content-type"),
                filename=filename.decode("utf-8", "replace") if filename is not None else None,
                headers=tuple(self._headers),
            )
        )

    def end(self) -> None:
        self.ended = True
