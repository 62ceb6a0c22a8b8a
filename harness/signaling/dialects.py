"""How relays wrap an offer and its answer. A dialect is pure: bytes in, bytes out, no I/O."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.core.errors import UsageError

SDP = "application/sdp"
JSON = "application/json"


@dataclass(frozen=True)
class Body:
    """A request's content and its type."""

    content: bytes
    content_type: str


@dataclass(frozen=True)
class Dialect:
    """A name, how an offer is wrapped (with extra fields), and how an answer is unwrapped.

    `unwrap` gives the SDP, or the body as it is where it is not wrapped as the dialect says: what is wrong
    with it is for the requirements to name.
    """

    name: str
    description: str
    wrap: Callable[[str, Mapping[str, object]], Body]
    unwrap: Callable[[str], str]
    accept: str


def _wrap_json(offer: str, fields: Mapping[str, object]) -> Body:
    return Body(json.dumps({**fields, "sdp": offer}).encode(), JSON)


def _wrap_typed_json(offer: str, fields: Mapping[str, object]) -> Body:
    return Body(json.dumps({**fields, "type": "offer", "sdp": offer}).encode(), JSON)


def _wrap_sdp(offer: str, fields: Mapping[str, object]) -> Body:
    if fields:
        raise UsageError(
            "the dialect sdp has no room for extra fields", "choose json, json-answer or multipart"
        )
    return Body(offer.encode(), SDP)


def _wrap_multipart(offer: str, fields: Mapping[str, object]) -> Body:
    """As a browser's FormData does (RFC 7578), with part types so that the SDP's is told."""
    boundary = "harness-form-boundary-7MA4YWxkTrZu0gW"
    parts = [("sdp", SDP, offer)]
    for name, value in fields.items():
        text = isinstance(value, str)
        parts.append((name, "text/plain" if text else JSON, str(value) if text else json.dumps(value)))
    content = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{value}\r\n"
        for name, kind, value in parts
    )
    return Body(f"{content}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}")


def _unwrap_text(body: str) -> str:
    return body


def _unwrap_json(body: str) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    sdp = answer.get("sdp") if isinstance(answer, dict) else None
    return sdp if isinstance(sdp, str) else body


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("json", '{"sdp"} in, SDP text out', _wrap_json, _unwrap_text, f"{SDP}, text/plain, */*"),
        Dialect("sdp", "raw application/sdp both ways", _wrap_sdp, _unwrap_text, SDP),
        Dialect("json-answer", '{"type", "sdp"} both ways', _wrap_typed_json, _unwrap_json, JSON),
        Dialect(
            "multipart", "a form with the field sdp in, SDP text out", _wrap_multipart, _unwrap_text, SDP
        ),
    )
}


def dialect_named(name: str) -> Dialect:
    """The dialect of that name. Raises UsageError with near matches."""
    if name in DIALECTS:
        return DIALECTS[name]
    near = difflib.get_close_matches(name, DIALECTS, n=2) or list(DIALECTS)
    raise UsageError(f"there is no dialect {name!r}", f"choose {' or '.join(near)}")
