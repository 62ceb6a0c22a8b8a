"""How relays wrap an offer and its answer. A dialect is pure: text in, bytes out, and back; no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.config.target import check_dialect
from harness.core.probes import OUR_BOUNDARY
from harness.core.strict_json import json_value

SDP = "application/sdp"
JSON = "application/json"

# RFC 7578, section 2, and the HTML standard: what may not stand in a field's quoted name.
_IN_FIELD_NAMES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True)
class Body:
    """A request's content and its type."""

    content: bytes
    content_type: str


@dataclass(frozen=True)
class Dialect:
    """A name, how an offer is wrapped (with extra fields), and how an answer is unwrapped.

    `unwrap` gives the SDP, or the body as it is where it is not wrapped as the dialect says: what is wrong
    with it is for the requirements to name. `has_fields`: extra fields can travel beside the offer.
    """

    name: str
    description: str
    wrap: Callable[[str, Mapping[str, object]], Body]
    unwrap: Callable[[str], str]
    accept: str
    has_fields: bool = True


def _wrap_json(offer: str, fields: Mapping[str, object]) -> Body:
    return Body(json.dumps({**fields, "sdp": offer}).encode(), JSON)


def _wrap_typed_json(offer: str, fields: Mapping[str, object]) -> Body:
    return Body(json.dumps({**fields, "type": "offer", "sdp": offer}).encode(), JSON)


def _wrap_sdp(offer: str, _no_fields: Mapping[str, object]) -> Body:
    return Body(offer.encode(), SDP)


def _wrap_multipart(offer: str, fields: Mapping[str, object]) -> Body:
    """A form (RFC 7578) whose part `sdp` says its type; strings are text, other values JSON."""
    parts = [("sdp", SDP, offer)]
    for name, value in fields.items():
        is_text = isinstance(value, str)
        parts.append((name, "text/plain" if is_text else JSON, str(value) if is_text else json.dumps(value)))
    # Made of the contents, so that it cannot stand in them, and the same offer makes the same bytes.
    boundary = f"{OUR_BOUNDARY}{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"
    content = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_IN_FIELD_NAMES)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{value}\r\n"
        for name, kind, value in parts
    )
    return Body(f"{content}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}")


def _unwrap_text(body: str) -> str:
    return body


def _unwrap_json(body: str) -> str:
    try:
        answer = json_value(body)
    except ValueError:
        return body
    sdp = answer.get("sdp") if isinstance(answer, dict) else None
    return sdp if isinstance(sdp, str) else body


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("json", '{"sdp"} in, SDP text out', _wrap_json, _unwrap_text, f"{SDP}, text/plain, */*"),
        Dialect("sdp", "raw application/sdp both ways", _wrap_sdp, _unwrap_text, SDP, has_fields=False),
        Dialect("json-answer", '{"type", "sdp"} both ways', _wrap_typed_json, _unwrap_json, JSON),
        Dialect(
            "multipart", "a form with the field sdp in, SDP text out", _wrap_multipart, _unwrap_text, SDP
        ),
    )
}


def dialect_named(name: str) -> Dialect:
    """The dialect of that name. Raises UsageError with near matches."""
    check_dialect(name)
    return DIALECTS[name]
