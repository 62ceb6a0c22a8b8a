"""Wraps offers and unwraps answers as a dialect says. Pure: text in, bytes out, and back; no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from harness.core.dialects import ANYWHERE, FORM, JSON, URL_FORM, Dialect
from harness.core.json_paths import at, merged, place_of_sdp, put
from harness.core.probes import OUR_BOUNDARY

# RFC 7578, section 2, and the HTML standard: what may not stand in a field's quoted name.
_IN_FIELD_NAMES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True)
class Body:
    """A request's content and its type."""

    content: bytes
    content_type: str


def wrap(dialect: Dialect, offer: str, fields: Mapping[str, object] | None = None) -> Body:
    """The offer as the dialect sends it, with `fields` beside the dialect's own, before which they go."""
    beside = merged(dialect.fields, fields or {})
    match dialect.content_type:
        case "application/json":
            return Body(json.dumps(put(beside, dialect.offer, offer)).encode(), JSON)
        case "multipart/form-data":
            return _form(dialect.offer, offer, beside)
        case "application/x-www-form-urlencoded":
            pairs = {dialect.offer: offer} | {name: _text(value) for name, value in beside.items()}
            return Body(urlencode(pairs).encode(), URL_FORM)
        case kind:
            return Body(offer.encode(), kind)


def unwrap(dialect: Dialect, body: str) -> str:
    """The SDP, or the body as it is where the SDP is not where the dialect says.

    What is wrong with it then is for the requirements to name.
    """
    if not dialect.answer:
        return body
    if dialect.answer == ANYWHERE:
        found = place_of_sdp(body)
        dialect = replace(dialect, answer=found)
        return unwrap(dialect, body) if found else body
    try:
        value = at(json.loads(body), dialect.answer)
    except (ValueError, RecursionError, LookupError):
        return body
    return value if isinstance(value, str) else body


def _form(name: str, offer: str, fields: Mapping[str, object]) -> Body:
    """A form (RFC 7578) whose parts say their types; texts are text, other values JSON."""
    parts = [(name, "application/sdp", offer)]
    parts += [(n, "text/plain" if isinstance(v, str) else JSON, _text(v)) for n, v in fields.items()]
    # Made of the contents, so that it cannot stand in them, and the same offer makes the same bytes.
    boundary = f"{OUR_BOUNDARY}{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"
    content = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{each.translate(_IN_FIELD_NAMES)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{value}\r\n"
        for each, kind, value in parts
    )
    return Body(f"{content}--{boundary}--\r\n".encode(), f"{FORM}; boundary={boundary}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
